/** Why are these different? */

export function CorrelationsPage() {
  return <h1>CorrelationsPage</h1>;
}
