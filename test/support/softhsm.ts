import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pkcs11Options } from '../../src/release/vault/index.ts'
import { command, library } from './tools.ts'

const MODULE = '/usr/lib/softhsm/libsofthsm2.so'
export const SOFTHSM = [library('SoftHSM', 'softhsm2', MODULE), command('softhsm2-util', 'softhsm2')]

/**
 * A folder of SoftHSM's with tokens of these labels. The library reads SOFTHSM2_CONF when it is first used, so that one process
 * has one such folder.
 */
export function softHsm(labels: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-softhsm-'))
  mkdirSync(join(folder, 'tokens'))
  const configuration = join(folder, 'softhsm2.conf')
  writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`)
  process.env.SOFTHSM2_CONF = configuration
  for (const label of labels) {
    const args = ['--init-token', '--free', '--label', label, '--pin', '246810', '--so-pin', '13579']
    execFileSync('softhsm2-util', args, { stdio: 'pipe' })
  }
  const pinFile = join(folder, 'pin')
  writeFileSync(pinFile, '246810\n', { mode: 0o600 })
  return {
    folder,
    options: (tokenLabel: string): Pkcs11Options => ({ module: MODULE, tokenLabel, pinFile }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
