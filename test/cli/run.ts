import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const MAIN = join(REPOSITORY, 'src/cli/main.ts')

export interface Ran {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** a module that runs before the command, as a data: URL takes it */
  readonly before?: string
  /** working directory; the repository if not given */
  readonly cwd?: string
}

/** Node from 22.18 on runs TypeScript by itself; before, it has to be asked. Either way it says that this is experimental. */
export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  ...(process.features.typescript ? [] : ['--experimental-strip-types']),
]

/** The real command in a process of its own, as it runs. */
export function started(
  args: readonly string[],
  options: Omit<RunOptions, 'stdin'> = {},
): ChildProcessWithoutNullStreams {
  const before =
    options.before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(options.before)}`]
  const { NO_COLOR: _, FORCE_COLOR: __, NODE_OPTIONS: ___, ...inherited } = process.env
  return spawn(process.execPath, [...NODE_FLAGS, ...before, MAIN, ...args], {
    cwd: options.cwd ?? REPOSITORY,
    // The stripped sources are kept between runs, so that a run takes a quarter of a second.
    env: {
      ...inherited,
      NODE_COMPILE_CACHE: join(REPOSITORY, 'node_modules/.cache/vouchsafe-cli'),
      // No test reads or fills the cache of whoever runs it.
      XDG_CACHE_HOME: join(REPOSITORY, 'node_modules/.cache/vouchsafe-xdg'),
      ...options.env,
    },
  })
}

/** What it did: the sources, which the package's own tests also run as they are built. */
export function vouchsafe(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = started(args, options)
  return new Promise((done, failed) => {
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', failed)
    child.on('close', (exit) =>
      done({ exit, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }),
    )
    child.stdin.on('error', () => undefined) // a command that needs no input closes it
    child.stdin.end(options.stdin)
  })
}

export const fixture = (path: string): string => join(REPOSITORY, 'fixtures', path)
export const fixtureText = (path: string): string => readFileSync(fixture(path), 'utf8')

/** How the fixtures are judged. */
export const FIXTURE_TIME = ['--at', '2026-08-01T00:00:00Z'] as const
export const FIXTURE_TRUST = ['--trust-anchor', fixture('trust-anchors.pem')] as const
export const FIXTURE_COLLATERAL = ['--collateral', fixture('collateral')] as const
export const FIXTURE_POLICY = ['--policy', 'h100-confidential', '--lease', fixture('lease.json')] as const
export const FIXTURE_CHALLENGE = ['--challenge', fixture('challenge.json')] as const
export const FIXTURE_OPTIONS = [
  ...FIXTURE_TIME,
  ...FIXTURE_TRUST,
  ...FIXTURE_COLLATERAL,
  ...FIXTURE_POLICY,
  ...FIXTURE_CHALLENGE,
] as const

/** An empty folder that goes away after the tests of the file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Columns of the widest line, colours aside. */
export const widest = (text: string): number =>
  Math.max(...text.split('\n').map((line) => [...line.replace(/\x1b\[\d+m/g, '')].length))
