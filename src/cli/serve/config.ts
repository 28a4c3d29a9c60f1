import { dirname, resolve } from 'node:path'
import type { Json } from '../../core/json.ts'
import { parseJson } from '../../core/json.ts'
import type { NonEmpty } from '../../core/outcome.ts'
import type { GateRules } from '../../gate/core.ts'
import type { Pkcs11Options } from '../../release/index.ts'
import type { Administrator } from '../../service/administrators.ts'
import type { RateLimit } from '../../service/rate-limit.ts'
import { faultText } from '../faults.ts'
import { readText, UsageError } from '../input.ts'
import { type From, Members } from './members.ts'
import { type VendorsConfig, vendorsOf } from './vendors-config.ts'

export const CONFIG_FORMAT = 'vouchsafe/service/1'

/** Where TLS ends: here, with these files; at a proxy in front; or nowhere, which is taken on loopback alone. */
export type TlsConfig = { readonly certificate: string; readonly key: string } | 'at-proxy' | 'off'

/** What `vouchsafe serve` runs by. Every member is said; paths are those of files, from the configuration's own folder on. */
export interface ServiceConfig {
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls: TlsConfig
  readonly store: { readonly sqlite: string } | { readonly postgres: { readonly urlFile: string } }
  readonly kek: { readonly file: string } | { readonly pkcs11: Pkcs11Options }
  readonly audit: {
    readonly anchor: string
    /** how often what was written is signed */
    readonly checkpointSeconds: number
    /** JWKS of keys that signed checkpoints before; null where this is the first */
    readonly earlierKeys: string | null
  }
  /** private JWK: signs credentials, checkpoints and tokens */
  readonly signingKey: string
  readonly issuer: string
  readonly audience: NonEmpty<string>
  readonly salt: string
  readonly administrators: readonly Administrator[]
  readonly kbs: { readonly workload: string; readonly sessionSeconds: number } | null
  readonly collateral: readonly string[]
  /** null: nobody is asked, and `collateral` is all there is */
  readonly vendors: VendorsConfig | null
  readonly referenceValues: readonly string[]
  readonly rateLimit: RateLimit
  readonly marketplace: GateRules
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost']
const YEAR = 365 * 24 * 60 * 60

/** Reads a configuration file. @throws UsageError with the place that is wrong */
export async function readConfig(path: string): Promise<ServiceConfig> {
  const json = parseJson(await readText(path), path)
  if (!json.ok) throw new UsageError(`${path} is no configuration:\n${faultText(json.faults)}`)
  return decodeConfig(json.value, dirname(resolve(path)))
}

/** @param folder what its paths start from */
export function decodeConfig(value: Json, folder: string): ServiceConfig {
  const from: From = (path) => resolve(folder, path)
  return Members.read(value, '', (config) => {
    config.oneOf('format', [CONFIG_FORMAT])
    const listen = config.object('listen', (m) => ({ host: m.text('host'), port: m.whole('port', 0, 65535) }))
    const tls = tlsOf(config, from)
    if (tls === 'off' && !LOOPBACK.includes(listen.host))
      throw new UsageError(
        `configuration: tls may be off on ${LOOPBACK.join(', ')} alone: administrators send keys over this address`,
      )
    return {
      ...{ listen, tls },
      store: config.object('store', (m) => storeOf(m, from)),
      kek: config.object('kek', (m) => kekOf(m, from)),
      audit: config.object('audit', (m) => ({
        anchor: from(m.text('anchor')),
        checkpointSeconds: m.whole('checkpointSeconds', 1, 86_400),
        earlierKeys: m.value('earlierKeys') === null ? null : from(m.text('earlierKeys')),
      })),
      signingKey: from(config.text('signingKey')),
      issuer: config.text('issuer'),
      audience: notEmpty(config.texts('audience'), 'audience'),
      salt: from(config.text('salt')),
      administrators: config.objects('administrators', (m) => ({
        ...{ name: m.text('name'), tenant: m.text('tenant'), tokenSha256: m.text('tokenSha256') },
      })),
      kbs: config.objectOrNull('kbs', (m) => ({
        ...{ workload: m.text('workload'), sessionSeconds: m.whole('sessionSeconds', 1, 600) },
      })),
      collateral: config.texts('collateral').map(from),
      vendors: vendorsOf(config, from),
      referenceValues: config.texts('referenceValues').map(from),
      rateLimit: config.object('rateLimit', (m) => ({
        burst: m.positive('burst'),
        perSecond: m.positive('perSecond'),
      })),
      marketplace: config.object('marketplace', (m) => ({
        accountsPerChip: m.whole('accountsPerChip', 1, 1_000_000),
        accountMemorySeconds: m.whole('accountMemorySeconds', 1, 10 * YEAR),
        maskedHardware: m.oneOf('maskedHardware', ['refused', 'allowed']),
        viewMaxAgeSeconds: m.whole('viewMaxAgeSeconds', 1, 3600),
        reattestSeconds: m.whole('reattestSeconds', 1, YEAR),
      })),
    }
  })
}

function tlsOf(config: Members, from: From): TlsConfig {
  if (typeof config.value('tls') === 'string') return config.oneOf('tls', ['at-proxy', 'off'] as const)
  return config.object('tls', (m) => ({ certificate: from(m.text('certificate')), key: from(m.text('key')) }))
}

function storeOf(members: Members, from: From): ServiceConfig['store'] {
  if (members.kind(['sqlite', 'postgres']) === 'sqlite') return { sqlite: from(members.text('sqlite')) }
  return { postgres: members.object('postgres', (m) => ({ urlFile: from(m.text('urlFile')) })) }
}

function kekOf(members: Members, from: From): ServiceConfig['kek'] {
  if (members.kind(['file', 'pkcs11']) === 'file') return { file: from(members.text('file')) }
  const pkcs11 = members.object('pkcs11', (m) => ({
    ...{ module: m.text('module'), tokenLabel: m.text('tokenLabel'), pinFile: from(m.text('pinFile')) },
  }))
  return { pkcs11 }
}

function notEmpty(texts: readonly string[], name: string): NonEmpty<string> {
  const [first, ...more] = texts
  if (first === undefined) throw new UsageError(`configuration: ${name} should name at least one`)
  return [first, ...more]
}
