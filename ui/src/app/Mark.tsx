/** The mark: a call, the model's answer inside it, and its tokens falling one by one. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <rect className="mark-call" x="1" y="3" width="18" height="4" rx="1" />
      <rect className="mark-answer" x="4" y="10" width="12" height="4" rx="1" />
      <rect className="mark-token" x="7" y="17" width="3" height="4" rx="1" />
      <rect className="mark-token" x="12.5" y="17" width="3" height="4" rx="1" />
      <rect className="mark-token late" x="18" y="17" width="3" height="4" rx="1" />
    </svg>
  );
}
