/** What do people ask? */

export function QuestionsPage() {
  return <h1>QuestionsPage</h1>;
}
