import { concatBytes } from '../../core/bytes.ts'
import { drawnBytes } from '../bytes.ts'
import { ext } from '../pki/certificate.ts'
import { nul } from '../pki/der.ts'
import { shifted } from '../pki/instants.ts'
import { rememberedKey } from '../pki/remembered.ts'
import { inList, type ListName } from './bend.ts'
import type { IntelCollateral } from './collateral.ts'
import { createIntelTestPki } from './pki.ts'
import { faultTable, type IntelFaultEntry, type IntelPlan, type ListPlan, type Made } from './plan.ts'

const list = (
  which: ListName,
  what: string,
  row: string,
  change: Partial<ListPlan> | ((plan: IntelPlan) => Partial<ListPlan>),
): IntelFaultEntry => ({ what, stage: 'revocation', rows: [row], bend: inList(which, change) })

const delivered = (what: string, change: (collateral: IntelCollateral) => IntelCollateral): IntelFaultEntry => ({
  what,
  stage: 'revocation',
  rows: ['RJ-X5-11'],
  bend: () => ({ collateral: change }),
})

/** What may be wrong with either list. */
const both = <Prefix extends 'root-crl' | 'pck-crl'>(prefix: Prefix, which: ListName, name: string) => {
  const faults = {
    missing: list(which, `${name} not delivered`, 'RJ-X5-15', { delivered: () => new Uint8Array() }),
    garbage: list(which, `${name} that is noise`, 'RJ-X5-11', {
      delivered: (der) => drawnBytes('intel', 'all', 'garbage', der.length),
    }),
    'trailing-byte': list(which, `a byte behind ${name}`, 'RJ-X5-11', {
      delivered: (der) => concatBytes(der, Uint8Array.of(0)),
    }),
    expired: list(which, `${name} ended a second ago`, 'RJ-X5-13', ({ at }) => ({ nextUpdate: shifted(at, -1) })),
    future: list(which, `${name} begins a second hence`, 'RJ-X5-14', ({ at }) => ({ thisUpdate: shifted(at, 1) })),
    'no-next-update': list(which, `${name} without an end`, 'RJ-X5-14', { nextUpdate: undefined }),
    'version-1': list(which, `${name} of version 1`, 'RJ-X5-12', { edits: { version: 0 } }),
    'signature-tampered': list(which, `one bit of the signature of ${name} changed`, 'RJ-X5-11', {
      edits: { tamperSignature: true },
    }),
    'other-key': list(which, `${name} signed by a key that is not its issuer’s`, 'RJ-X5-11', {
      issuer: (made: Made) => ({
        name: (which === 'rootCrl' ? made.pki.authority('root') : made.pck.issuer).name,
        key: rememberedKey('P-256', 'intel/nobody'),
      }),
    }),
    foreign: list(which, `${name} of a foreign hierarchy with Intel’s names`, 'RJ-X5-11', (plan) => ({
      issuer: () => createIntelTestPki(plan.seed, { rogue: true }).authority(which === 'rootCrl' ? 'root' : plan.ca),
    })),
    'unknown-critical-ext': list(which, `critical extension nobody knows in ${name}`, 'RJ-X5-12', {
      edits: { extensions: [ext.custom('1.3.6.1.4.1.99999.1', nul(), true)] },
    }),
    delta: list(which, `${name} that is a delta`, 'RJ-X5-12', { edits: { extensions: [ext.deltaCrlIndicator(1)] } }),
  }
  return Object.fromEntries(Object.entries(faults).map(([key, entry]) => [`${prefix}-${key}`, entry])) as Record<
    `${Prefix}-${keyof typeof faults}`,
    IntelFaultEntry
  >
}

const revoked = (what: string, which: ListName, who: ListPlan['revokes'][number] | 'issuer'): IntelFaultEntry => ({
  what,
  stage: 'revocation',
  rows: [who === 'pck' ? 'RJ-X5-10' : 'RJ-X5-09'],
  bend: (plan) => inList(which, { revokes: [who === 'issuer' ? plan.ca : who] })(plan),
})

/** Faults of the two revocation lists, and what they revoke. */
export const LIST_FAULTS = faultTable({
  ...both('root-crl', 'rootCrl', 'the root’s list'),
  ...both('pck-crl', 'pckCrl', 'the list of PCK certificates'),
  'pck-revoked': revoked('PCK certificate revoked', 'pckCrl', 'pck'),
  'issuer-revoked': revoked('issuing authority revoked', 'rootCrl', 'issuer'),
  'tcb-signer-revoked': revoked('TCB signer revoked', 'rootCrl', 'tcbSigner'),
  'root-revoked': revoked('root revoked by its own list', 'rootCrl', 'root'),
  'pck-revoked-list-stripped': {
    what: 'a revoked PCK whose list was exchanged for an empty one of the same name signed by another key',
    stage: 'revocation',
    rows: ['RJ-X5-11'],
    bend: inList('pckCrl', (plan) => ({
      issuer: ({ pki }) => ({ name: pki.authority(plan.ca).name, key: rememberedKey('P-256', 'intel/nobody') }),
      revokes: [],
    })),
  },
  'pck-crl-signed-by-pck': list('pckCrl', 'the list of PCK certificates signed by the PCK', 'RJ-X5-11', (plan) => ({
    issuer: ({ pki, pck }) => ({ name: pki.authority(plan.ca).name, key: pck.key }),
  })),
  'pck-crl-of-other-authority': list('pckCrl', 'the list of the other issuing authority', 'RJ-X5-11', (plan) => ({
    issuer: ({ pki }) => pki.authority(plan.ca === 'platform' ? 'processor' : 'platform'),
  })),
  'crls-swapped': delivered('the two lists exchanged', (of) => ({ ...of, rootCaCrl: of.pckCrl, pckCrl: of.rootCaCrl })),
})
