import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const TYPESCRIPT = join(REPOSITORY, 'node_modules/typescript/bin/tsc')

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

async function run(command: string, args: readonly string[], cwd: string): Promise<Ran> {
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 })
    return { exit: 0, stdout, stderr }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') throw error
    return {
      exit: error.code,
      stdout: String('stdout' in error && error.stdout),
      stderr: String('stderr' in error && error.stderr),
    }
  }
}

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const ran = await run('npm', args, cwd)
  if (ran.exit !== 0) throw new Error(`npm ${args.join(' ')} ended with ${ran.exit}\n${ran.stdout}\n${ran.stderr}`)
  return ran.stdout
}

export interface Tarball {
  readonly path: string
  readonly integrity: string
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}

/** `npm pack`, which builds first. */
export async function pack(into: string): Promise<Tarball> {
  const printed = await npm(['pack', '--json', '--pack-destination', into], REPOSITORY)
  // The build's own words come before the JSON.
  const [made] = JSON.parse(printed.slice(printed.search(/^\[\s*\{/m))) as [
    { filename: string; integrity: string; files: Tarball['files'] },
  ]
  return { path: join(into, made.filename), integrity: made.integrity, files: made.files }
}

export const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  readonly name: string
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

/** An empty project with nothing in it but the packed package. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), 'vouchsafe-consumer-'))

  async install(tarball: Tarball): Promise<void> {
    writeFileSync(join(this.folder, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true }\n')
    await npm(['install', '--ignore-scripts', '--prefer-offline', tarball.path], this.folder)
  }

  /** Runs a script of this project with the Node that runs the tests. */
  node(name: string, script: string, ...args: readonly string[]): Promise<Ran> {
    writeFileSync(join(this.folder, name), script)
    return run(process.execPath, [...args, name], this.folder)
  }

  /** Runs the command that npm linked. */
  command(...args: readonly string[]): Promise<Ran> {
    return run(process.execPath, [join(this.folder, 'node_modules/.bin/vouchsafe'), ...args], this.folder)
  }

  /** Compiles one file strictly, library declarations included. */
  async compile(name: string, text: string, options: Readonly<Record<string, unknown>>): Promise<Ran> {
    writeFileSync(join(this.folder, name), text)
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
      target: 'es2022',
      lib: ['es2024'],
      ...options,
    }
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [name] }))
    return run(process.execPath, [TYPESCRIPT, '-p', 'tsconfig.json'], this.folder)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
