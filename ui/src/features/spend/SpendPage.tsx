/** What does it cost? */

export function SpendPage() {
  return <h1>SpendPage</h1>;
}
