import { seededBytes } from '../nvidia/bytes.ts'
import { type IssuedCertificate, issue } from '../nvidia/issue.ts'
import { ext } from '../pki/extensions.ts'
import { ecKey, type TestKey } from '../pki/keys.ts'
import { memo } from '../pki/memo.ts'
import { type NameAttribute, name } from '../pki/names.ts'

/** A chain in AWS's shape: root, region, zone, instance, enclave. */
export interface NitroChain {
  readonly root: IssuedCertificate
  readonly region: IssuedCertificate
  readonly zone: IssuedCertificate
  readonly instance: IssuedCertificate
  readonly leaf: IssuedCertificate
}

export type NitroRole = keyof NitroChain

export const INSTANCE_ID = 'i-0123456789abcdef0'
export const MODULE_ID = `${INSTANCE_ID}-enc0123456789abcdef`

const AMAZON: readonly NameAttribute[] = [
  ['C', 'US'],
  ['O', 'Amazon'],
  ['OU', 'AWS'],
]
const SUBJECTS: Readonly<Record<NitroRole, string>> = {
  root: 'aws.nitro-enclaves',
  region: '0123456789abcdef.us-east-1.aws.nitro-enclaves',
  zone: 'fedcba9876543210.zonal.us-east-1.aws.nitro-enclaves',
  instance: `${INSTANCE_ID}.us-east-1.aws.nitro-enclaves`,
  leaf: `${MODULE_ID}.us-east-1.aws`,
}

const HOUR = 3600
const DAY = 24 * HOUR
/** Seconds before and after the document's time, as AWS issues them. */
const LIFE: Readonly<Record<Exclude<NitroRole, 'root'>, readonly [before: number, after: number]>> = {
  region: [5 * DAY, 15 * DAY],
  zone: [8 * HOUR, 5 * DAY],
  instance: [20 * 60, 23 * HOUR],
  leaf: [3, 3 * HOUR],
}

const CRL = {
  region: 'http://aws-nitro-enclaves-crl.s3.amazonaws.com/crl/region.crl',
  zone: 'http://crl-us-east-1-aws-nitro-enclaves.s3.us-east-1.amazonaws.com/crl/zone.crl',
}

export const instantOf = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

const keys = memo<TestKey>()
const p384 = (label: string): TestKey => keys(label, () => ecKey('P-384', `nitro/${label}`))

const authority = (pathLength: number | undefined) => [
  ext.basicConstraints(true, pathLength),
  ext.keyUsage(['digitalSignature', 'keyCertSign', 'cRLSign']),
]
const EXTENSIONS: Readonly<Record<NitroRole, readonly Uint8Array[]>> = {
  root: authority(undefined),
  region: [...authority(2), ext.crlDistributionPoint(CRL.region)],
  zone: [...authority(1), ext.crlDistributionPoint(CRL.zone)],
  instance: [ext.basicConstraints(true, 0), ext.keyUsage(['keyCertSign'])],
  leaf: [ext.basicConstraints(false), ext.keyUsage(['digitalSignature', 'nonRepudiation'], false)],
}

/** A change to one certificate before it is signed by its rightful issuer. */
export type NitroCertificateEdit = Parameters<typeof issue>[0]['edit']

const chains = memo<NitroChain>()

/**
 * The hierarchy of a seed, valid around an instant (seconds since 1970). Another seed is a foreign hierarchy under the same
 * names.
 */
export function nitroChain(
  seed: string,
  at: number,
  edits: Partial<Record<NitroRole, NitroCertificateEdit>> = {},
): NitroChain {
  const make = (): NitroChain => {
    const issued = (role: NitroRole, issuer?: IssuedCertificate): IssuedCertificate => {
      const [before, after] = role === 'root' ? [] : LIFE[role]
      return issue({
        subject: name([...AMAZON, ['CN', SUBJECTS[role]]]),
        serial: seededBytes(seed, `nitro/${role}`, 16),
        key: p384(`${seed}/${role}`),
        ...(issuer === undefined ? {} : { issuer }),
        notBefore: before === undefined ? '2019-10-28T13:28:05Z' : instantOf(at - before),
        notAfter: after === undefined ? '2049-10-28T14:28:05Z' : instantOf(at + after),
        extensions: EXTENSIONS[role],
        edit: edits[role],
      })
    }
    const root = issued('root')
    const region = issued('region', root)
    const zone = issued('zone', region)
    const instance = issued('instance', zone)
    return { root, region, zone, instance, leaf: issued('leaf', instance) }
  }
  return Object.keys(edits).length === 0 ? chains(`${seed}/${at}`, make) : make()
}
