/** What did this person go through? */

export function SessionsPage() {
  return <h1>SessionsPage</h1>;
}
