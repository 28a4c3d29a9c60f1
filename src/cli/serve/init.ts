import { createHash, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { utf8 } from '../../core/bytes.ts'
import { createPrivateFile } from '../../files/private-file.ts'
import { DEFAULT_RULES } from '../../gate/core.ts'
import { createAnchorFile, createKekFile } from '../../release/index.ts'
import { reasonOf, UsageError } from '../input.ts'
import { makeStore } from '../keys/opened.ts'
import { CONFIG_FORMAT } from './config.ts'
import { createSalt, createSigningKey } from './secrets.ts'

const FILES = {
  config: 'config.json',
  store: 'vouchsafe.db',
  kek: 'kek.json',
  signingKey: 'signing-key.jwk',
  salt: 'salt',
  anchor: 'audit.anchor',
  token: 'administrator.token',
} as const

/** What was made, by name; none of it secret, except in the files themselves. */
export type Made = Readonly<Record<keyof typeof FILES, string>>

/**
 * Makes a folder (mode 0700) with everything a service needs on this machine. Nothing is overwritten; the token of the one
 * administrator is in a file and nowhere else, the configuration has its digest.
 * @throws UsageError where the folder exists
 */
export async function initService(folder: string, tenant: string): Promise<Made> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    throw new UsageError(`cannot make ${folder}: ${reasonOf(error)}`)
  }
  const made = Object.fromEntries(
    Object.entries(FILES).map(([name, file]) => [name, join(resolve(folder), file)]),
  ) as Made
  const token = randomBytes(32).toString('base64url')
  await createKekFile(made.kek)
  await createSigningKey(made.signingKey, `service-${randomBytes(4).toString('hex')}`)
  await createSalt(made.salt)
  await createAnchorFile(made.anchor)
  await makeStore(made.store)
  await createPrivateFile(made.token, utf8(`${token}\n`))
  await createPrivateFile(made.config, utf8(`${JSON.stringify(configOf(tenant, token), null, 2)}\n`))
  return made
}

/** Paths are the files' names, so that the folder can be moved. */
const configOf = (tenant: string, token: string): object => ({
  format: CONFIG_FORMAT,
  listen: { host: '127.0.0.1', port: 8080 },
  tls: 'off',
  store: { sqlite: FILES.store },
  kek: { file: FILES.kek },
  audit: { anchor: FILES.anchor, checkpointSeconds: 60, earlierKeys: null },
  signingKey: FILES.signingKey,
  issuer: 'http://127.0.0.1:8080',
  audience: ['http://127.0.0.1:8080'],
  salt: FILES.salt,
  administrators: [{ name: 'administrator', tenant, tokenSha256: createHash('sha256').update(token).digest('hex') }],
  kbs: { workload: 'kbs-guests', sessionSeconds: 300 },
  collateral: [],
  // Whom a service may ask is for its operator to say.
  vendors: null,
  referenceValues: [],
  rateLimit: { burst: 60, perSecond: 10 },
  marketplace: DEFAULT_RULES,
})
