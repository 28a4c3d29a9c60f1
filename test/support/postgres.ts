import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Tool } from './tools.ts'

/** Debian keeps each version's programs apart. */
const DEBIAN = '/usr/lib/postgresql'
const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).filter((name) => /^\d+$/.test(name)) : []
const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
const program = (name: string): string => join(DEBIAN, newest ?? 'none', 'bin', name)

export const POSTGRES: Tool = {
  name: 'PostgreSQL',
  install: 'apt-get install postgresql',
  isThere: () => ['initdb', 'pg_ctl', 'pg_dump'].every((name) => existsSync(program(name))),
}

const isRoot = process.getuid?.() === 0
const OWNER = 'postgres'

/** A dump of a thousand keys and more. */
const MOST_OUTPUT_BYTES = 256 * 1024 * 1024

/** The server refuses root; then it runs as the user that Debian made for it. */
function run(name: string, ...args: readonly string[]): string {
  const [command, ...rest] = isRoot ? ['runuser', '-u', OWNER, '--', program(name), ...args] : [program(name), ...args]
  return execFileSync(command ?? '', rest, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    maxBuffer: MOST_OUTPUT_BYTES,
  })
}

const idOf = (flag: '-u' | '-g'): number => Number(spawnSync('id', [flag, OWNER], { encoding: 'utf8' }).stdout)

/** One statement by a connection of its own, as somebody beside the stores would send it. */
export async function ask(connectionString: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

export interface PostgresServer {
  readonly folder: string
  /** URL of a database of its own, empty */
  database(): Promise<string>
  /** what pg_dump writes of it */
  dump(url: string): string
  /** what the server wrote of what it was asked */
  log(): Buffer
  /** everything that was committed is in the data files as well */
  checkpoint(): Promise<void>
  /** the whole cluster ends at once, and starts again as it may after a power failure */
  crash(): void
  stop(): void
}

/**
 * A server of the tests' own: a new cluster in a temporary folder, reached by a socket in it alone, syncing to disk.
 * @param settings more options of `postgres`
 */
export function postgresServer(settings: readonly string[] = []): PostgresServer {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-pg-'))
  chmodSync(folder, 0o755)
  if (isRoot) chownSync(folder, idOf('-u'), idOf('-g'))
  const data = join(folder, 'data')
  run('initdb', '-D', data, '-U', 'vouchsafe', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync')
  const options = `-c listen_addresses='' -c unix_socket_directories=${folder} -c fsync=on -c max_connections=60 -c recovery_init_sync_method=syncfs ${settings.join(' ')}`
  const start = () => run('pg_ctl', '-D', data, '-l', join(folder, 'log'), '-o', options, '-w', 'start')
  start()
  let databases = 0
  const urlOf = (name: string): string => `postgres://vouchsafe@localhost/${name}?host=${encodeURIComponent(folder)}`
  return {
    folder,
    async database() {
      const name = `db${databases++}`
      await ask(urlOf('postgres'), `CREATE DATABASE ${name} TEMPLATE template0`)
      return urlOf(name)
    },
    dump: (url) => run('pg_dump', '-h', folder, '-U', 'vouchsafe', new URL(url).pathname.slice(1)),
    log: () => readFileSync(join(folder, 'log')),
    async checkpoint() {
      await ask(urlOf('postgres'), 'CHECKPOINT')
    },
    crash() {
      run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
      start()
    },
    stop() {
      run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
