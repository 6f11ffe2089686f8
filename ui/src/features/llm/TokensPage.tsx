/** How do tokens and time hang together? */

export function TokensPage() {
  return <h1>TokensPage</h1>;
}
