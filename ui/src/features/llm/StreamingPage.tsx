/** How do answers stream? */

export function StreamingPage() {
  return <h1>StreamingPage</h1>;
}
