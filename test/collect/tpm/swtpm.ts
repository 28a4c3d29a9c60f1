import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { command, library } from '../../support/tools.ts'

const TRIPLETS = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
const inLib = (name: string) => TRIPLETS.map((triplet) => `/usr/lib/${triplet}/${name}`)

export const SWTPM = command('swtpm', 'swtpm')
export const SWTPM_TOOLS = command('swtpm_setup', 'swtpm-tools')
export const TPM2_TOOLS = command('tpm2_makecredential', 'tpm2-tools')
export const TSS = library(
  'tpm2-tss',
  'libtss2-esys-3.0.2-0 libtss2-tctildr0 libtss2-tcti-swtpm0',
  ...inLib('libtss2-esys.so.0'),
)

// The library's own log repeats what each test expects.
process.env.TSS2_LOG ??= 'all+none'

/** A software TPM of its own, new and empty. */
export class SoftwareTpm {
  readonly folder = mkdtempSync(join(tmpdir(), 'vouchsafe-swtpm-'))
  readonly tcti = `swtpm:path=${join(this.folder, 'sock')}`
  readonly #process: ChildProcess

  /** @param banks the only ones that it keeps; swtpm's own choice where none is named */
  constructor(banks?: string) {
    if (banks !== undefined) {
      const made = spawnSync('swtpm_setup', ['--tpm2', '--tpmstate', this.folder, '--pcr-banks', banks], {
        encoding: 'utf8',
      })
      if (made.status !== 0) throw new Error(made.stdout + made.stderr)
    }
    const socket = join(this.folder, 'sock')
    this.#process = spawn(
      'swtpm',
      [
        ...['socket', '--tpm2', '--tpmstate', `dir=${this.folder}`, '--flags', 'not-need-init,startup-clear'],
        ...['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`],
      ],
      { stdio: 'ignore' },
    )
  }

  async ready(): Promise<this> {
    for (let i = 0; i < 200 && !existsSync(join(this.folder, 'sock')); i++) await sleep(25)
    return this
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve))
      this.#process.kill()
      await ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
