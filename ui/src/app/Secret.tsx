import { useState } from 'react';
import { giveSecret } from '../api/client';
import { m } from '../base/i18n';
import { Modal } from '../components/modal';

/** Asked for when the server answers 401; the address stays, so the reader lands where the link led. */
export default function Secret({ wrong, onGiven }: { wrong: boolean; onGiven: () => void }) {
  const [value, setValue] = useState('');
  return (
    <Modal title={m.auth.title}>
      <form
        className="secret"
        onSubmit={(event) => {
          event.preventDefault();
          giveSecret(value);
          onGiven();
        }}
      >
        <p className="dim">{m.auth.text}</p>
        <label>
          {m.auth.label}
          <input
            className="input"
            type="password"
            autoComplete="current-password"
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </label>
        {wrong && (
          <p className="error-text" role="alert">
            {m.auth.wrong}
          </p>
        )}
        <button type="submit" className="button primary" disabled={value === ''}>
          {m.auth.submit}
        </button>
      </form>
    </Modal>
  );
}
