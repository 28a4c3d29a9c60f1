import { concatBytes } from '../../core/bytes.ts'
import type { Fault } from '../nvidia/fault.ts'
import {
  cborArray,
  cborBytes,
  cborHead,
  cborIndefiniteMap,
  cborInt,
  cborMap,
  cborTag,
  cborText,
  withoutEntry,
} from '../pki/cbor.ts'
import { algHeader, COSE } from '../pki/cose.ts'
import { ecKey } from '../pki/keys.ts'
import { binderOf, CCA_CLAIM, CCA_ENTRY, type CcaHalf, type CcaPlan, realmKeyClaim, withClaim } from './token.ts'

type Half = 'platform' | 'realm'

const change =
  (half: Half, edit: Partial<CcaHalf> | ((of: CcaHalf) => Partial<CcaHalf>)) =>
  (plan: CcaPlan): CcaPlan => ({
    ...plan,
    [half]: { ...plan[half], ...(typeof edit === 'function' ? edit(plan[half]) : edit) },
  })
const sign1 = (half: Half, edit: Partial<CcaHalf['sign1']>) =>
  change(half, (of) => ({ sign1: { ...of.sign1, ...edit } }))
const drop = (half: Half, label: number) => change(half, (of) => ({ claims: withoutEntry(of.claims, cborInt(label)) }))
const lifecycle = (state: number) => withClaim('platform', CCA_CLAIM.lifecycle, cborInt(state))
const challenge = (value: Uint8Array) => withClaim('platform', CCA_CLAIM.challenge, cborBytes(value))
const rem = (count: number) =>
  withClaim(
    'realm',
    CCA_CLAIM.extensibleMeasurements,
    cborArray(...Array.from({ length: count }, () => cborBytes(new Uint8Array(32)))),
  )
const collect =
  (how: CcaPlan['collect']) =>
  (plan: CcaPlan): CcaPlan => ({ ...plan, collect: how })

/** The realm of somebody else, validly signed, its key in its claims; the platform token stays. */
function otherRealm(plan: CcaPlan): CcaPlan {
  const key = ecKey('P-384', `cca/${plan.seed}/other`)
  const withKey = withClaim('realm', CCA_CLAIM.publicKey, cborBytes(realmKeyClaim(key, 'COSE_Key')))(plan)
  return sign1('realm', { signer: key })(withKey)
}

/** A realm on P-256, bound and signed as well as P-256 can. */
function p256Realm(plan: CcaPlan): CcaPlan {
  const key = ecKey('P-256', `cca/${plan.seed}/rak`)
  const claim = realmKeyClaim(key, 'COSE_Key')
  const bound = challenge(binderOf(claim, 'sha256'))(plan)
  const signed = sign1('realm', { signer: key, protectedHeader: algHeader(COSE.ES256) })
  return signed(withClaim('realm', CCA_CLAIM.publicKey, cborBytes(claim))(bound))
}

/** Everything that can be wrong in a CCA token. */
export const CCA_FAULTS = {
  'binder-other': {
    what: 'a challenge that is nobody’s hash',
    row: 'RJ-CB-11',
    apply: challenge(new Uint8Array(32).fill(7)),
  },
  'binder-zero': { what: 'a challenge of zeros', row: 'RJ-CB-11', apply: challenge(new Uint8Array(32)) },
  'binder-other-hash': {
    what: 'the SHA-512 of the key where the token names SHA-256',
    row: 'RJ-CB-11',
    apply: (plan) => {
      const key = ecKey('P-384', `cca/${plan.seed}/rak`)
      return challenge(binderOf(realmKeyClaim(key, 'COSE_Key'), 'sha512'))(plan)
    },
  },
  'realm-other': { what: 'the realm of somebody else', row: 'RJ-CB-11', apply: otherRealm },
  'lifecycle-unknown': { what: 'lifecycle 0x0000', row: 'RJ-CB-12', apply: lifecycle(0) },
  'lifecycle-test': { what: 'lifecycle 0x1000, assembly and test', row: 'RJ-CB-12', apply: lifecycle(0x1000) },
  'lifecycle-provisioning': { what: 'lifecycle 0x2000', row: 'RJ-CB-12', apply: lifecycle(0x2000) },
  'lifecycle-below': { what: 'lifecycle 0x2fff', row: 'RJ-CB-12', apply: lifecycle(0x2fff) },
  'lifecycle-above': { what: 'lifecycle 0x3100', row: 'RJ-CB-12', apply: lifecycle(0x3100) },
  'lifecycle-debug': { what: 'lifecycle 0x4000, debug', row: 'RJ-CB-12', apply: lifecycle(0x4000) },
  'lifecycle-recoverable-debug': { what: 'lifecycle 0x5000, debug', row: 'RJ-CB-12', apply: lifecycle(0x5000) },
  'lifecycle-decommissioned': { what: 'lifecycle 0x6000', row: 'RJ-CB-12', apply: lifecycle(0x6000) },

  'claim-twice': {
    what: 'the lifecycle twice',
    row: 'RJ-CB-01',
    apply: change('platform', (of) => ({ claims: [...of.claims, [cborInt(CCA_CLAIM.lifecycle), cborInt(0x3000)]] })),
  },
  'trailing-byte': {
    what: 'a byte after the token',
    row: 'RJ-CB-02',
    apply: (plan) => ({ ...plan, editToken: (token) => concatBytes(token, Uint8Array.of(0)) }),
  },
  'indefinite-map': {
    what: 'realm claims of indefinite length',
    row: 'RJ-CB-03',
    apply: change('realm', { writeMap: cborIndefiniteMap }),
  },
  'collection-unsorted': {
    what: 'the realm token before the platform token',
    row: 'RJ-CB-03',
    apply: collect((platform, realm) =>
      cborTag(
        399,
        cborMap([
          [cborInt(CCA_ENTRY.realm), cborBytes(realm)],
          [cborInt(CCA_ENTRY.platform), cborBytes(platform)],
        ]),
      ),
    ),
  },
  'tag-398': {
    what: 'the tag beside the right one',
    row: 'RJ-CB-04',
    apply: collect((platform, realm) =>
      cborTag(
        398,
        cborMap([
          [cborInt(CCA_ENTRY.platform), cborBytes(platform)],
          [cborInt(CCA_ENTRY.realm), cborBytes(realm)],
        ]),
      ),
    ),
  },
  unwrapped: {
    what: 'tokens that are no byte strings',
    row: 'RJ-CB-04',
    apply: collect((platform, realm) =>
      cborTag(
        399,
        cborMap([
          [cborInt(CCA_ENTRY.platform), platform],
          [cborInt(CCA_ENTRY.realm), realm],
        ]),
      ),
    ),
  },
  'unknown-claim': {
    what: 'a claim that no platform makes',
    row: 'RJ-CB-04',
    apply: withClaim('platform', 263, cborInt(0)),
  },
  'bytes-beyond': {
    what: 'a byte string of 2^40 bytes',
    row: 'RJ-CB-05',
    apply: withClaim('realm', CCA_CLAIM.personalizationValue, cborHead(2, 2 ** 40)),
  },
  'realm-es256': {
    what: 'a realm token with ES256 in its header',
    row: 'RJ-CB-06',
    apply: sign1('realm', { protectedHeader: algHeader(COSE.ES256) }),
  },
  'realm-p256': { what: 'a realm key on P-256, bound and signing', row: 'RJ-CB-06', apply: p256Realm },
  'platform-es512': {
    what: 'a platform token with ES512 in its header',
    row: 'RJ-CB-06',
    apply: sign1('platform', { protectedHeader: algHeader(COSE.ES512) }),
  },
  'platform-crit': {
    what: 'a critical header in the platform token',
    row: 'RJ-CB-07',
    apply: sign1('platform', {
      protectedHeader: [...algHeader(COSE.ES384), [cborInt(COSE.crit), cborArray(cborInt(99))]],
    }),
  },

  'platform-other-key': {
    what: 'a platform token signed by another platform’s key',
    apply: sign1('platform', { signer: ecKey('P-384', 'cca/other-cpak') }),
  },
  'platform-realm-key': {
    what: 'a platform token signed by the realm’s key',
    apply: (plan) => sign1('platform', { signer: plan.realm.sign1.signer })(plan),
  },
  'realm-other-key': {
    what: 'a realm token signed by another key than it names',
    apply: sign1('realm', { signer: ecKey('P-384', 'cca/other-rak') }),
  },
  'platform-untagged': { what: 'a platform token without tag 18', apply: sign1('platform', { isTagged: false }) },
  'content-format': {
    what: 'another content format',
    apply: collect((platform, realm) => {
      const record = (token: Uint8Array) => cborArray(cborInt(264), cborBytes(token))
      return cborTag(
        907,
        cborMap([
          [cborInt(CCA_ENTRY.platform), record(platform)],
          [cborInt(CCA_ENTRY.realm), record(realm)],
        ]),
      )
    }),
  },
  'profiles-swapped': {
    what: 'the realm’s profile in the platform token',
    apply: withClaim('platform', CCA_CLAIM.profile, cborText('tag:arm.com,2023:realm#1.0.0')),
  },
  'realm-profile-unknown': {
    what: 'a realm profile that nobody knows',
    apply: withClaim('realm', CCA_CLAIM.profile, cborText('tag:arm.com,2023:realm#2.0.0')),
  },
  'realm-profile-missing': {
    what: 'a COSE_Key without the profile that says so',
    apply: drop('realm', CCA_CLAIM.profile),
  },
  'challenge-of-32': {
    what: 'a realm challenge of 32 bytes',
    apply: withClaim('realm', CCA_CLAIM.challenge, cborBytes(new Uint8Array(32))),
  },
  'rak-hash-sha1': {
    what: 'the hash sha-1 for the realm’s key',
    apply: withClaim('realm', CCA_CLAIM.publicKeyHashAlgorithm, cborText('sha-1')),
  },
  'rem-of-three': { what: 'three extensible measurements', apply: rem(3) },
  'rem-of-five': { what: 'five extensible measurements', apply: rem(5) },
  'no-components': { what: 'no software component', apply: withClaim('platform', CCA_CLAIM.swComponents, cborArray()) },
  'instance-of-32': {
    what: 'an instance id of 32 bytes',
    apply: withClaim('platform', CCA_CLAIM.instanceId, cborBytes(new Uint8Array(32).fill(1))),
  },
  'lifecycle-missing': { what: 'no lifecycle', apply: drop('platform', CCA_CLAIM.lifecycle) },
  'lifecycle-too-large': { what: 'a lifecycle of three bytes', apply: lifecycle(0x13000) },
  'rak-off-curve': {
    what: 'a realm key that is no point',
    apply: withClaim(
      'realm',
      CCA_CLAIM.publicKey,
      cborBytes(realmKeyClaim({ ...ecKey('P-384', 'x'), publicPoint: new Uint8Array(97).fill(4) }, 'COSE_Key')),
    ),
  },
} as const satisfies Record<string, Fault<CcaPlan>>

/** Names of the faults of `CCA_FAULTS`. */
export type CcaFault = keyof typeof CCA_FAULTS
