/** One of many, or all of them. */
export function Picker({
  label,
  all,
  value,
  choices,
  onChange,
}: {
  label: string;
  /** Name of the choice that limits nothing. */
  all: string;
  value: string | undefined;
  choices: readonly string[];
  onChange: (value: string | undefined) => void;
}) {
  // What the URL asks for is a choice even if the answer does not know it.
  const known = value && !choices.includes(value) ? [value, ...choices] : choices;
  return (
    <label className="select">
      <span className="dim small">{label}</span>
      <select value={value ?? ''} onChange={(event) => onChange(event.target.value || undefined)}>
        <option value="">{all}</option>
        {known.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}
