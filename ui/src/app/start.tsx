import { StartPage } from '../features/start/StartPage';

export function Start() {
  return <StartPage />;
}
