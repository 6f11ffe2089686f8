/** Starts the server under test on a free port with an empty data directory, or takes one that runs. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const startMs = 30_000;

/** The program under test. */
export const binary =
  process.env.TOKENFALL_BIN ?? fileURLToPath(new URL('../../target/debug/tokenfall', import.meta.url));

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Waits for a state, never for a time. */
export async function until(what, check, deadlineMs = 10_000) {
  const end = Date.now() + deadlineMs;
  let last;
  while (Date.now() < end) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain: ${what}`, { cause: last });
}

/** Starts another program and waits for the line of its output that `ready` matches, which says where it listens. */
export async function startProgram(program, args, ready, env) {
  if (!existsSync(program)) throw new Error(`no program at ${program}: build it`);
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      log += chunk;
    });
  const ended = new Promise((resolve) => {
    child.once('close', resolve);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    process.off('exit', kill);
  };
  try {
    const atItsEnd = ended.then(() => {
      const found = ready.exec(log);
      if (!found) throw new Error(`${program} ended:\n${log}`);
      return found;
    });
    const found = await Promise.race([until(`${args[0]} is ready`, () => ready.exec(log), startMs), atItsEnd]);
    return { url: found[1], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function startServer(env = {}) {
  if (process.env.TOKENFALL_URL && Object.keys(env).length === 0)
    return { url: process.env.TOKENFALL_URL, stop: async () => undefined };
  if (!existsSync(binary)) throw new Error(`no server at ${binary}: build it, or set TOKENFALL_BIN or TOKENFALL_URL`);
  const data = mkdtempSync(join(tmpdir(), 'tokenfall-e2e-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--data', data], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  let exited = false;
  child.on('exit', () => {
    exited = true;
  });
  const stop = async () => {
    if (!exited) {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await until(
      'the server answers',
      async () => {
        if (exited) throw new Error(`the server ended:\n${log}`);
        return (await fetch(`${url}/healthz`)).ok;
      },
      startMs,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}
