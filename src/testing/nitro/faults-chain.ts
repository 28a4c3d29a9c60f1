import type { Fault } from '../nvidia/fault.ts'
import { cborArray, cborBytes, cborText, withEntry } from '../pki/cbor.ts'
import { ext } from '../pki/extensions.ts'
import type { NitroPlan } from './document.ts'
import { type NitroChain, nitroChain } from './pki.ts'

const chained =
  (change: (plan: NitroPlan) => NitroChain) =>
  (plan: NitroPlan): NitroPlan => ({ ...plan, chain: change(plan) })
const bundle =
  (order: (chain: NitroChain) => readonly Uint8Array[]) =>
  (plan: NitroPlan): NitroPlan => ({
    ...plan,
    payload: withEntry(plan.payload, cborText('cabundle'), cborArray(...order(plan.chain).map(cborBytes))),
  })
const ELSEWHERE = ext.crlDistributionPoint('http://crl-x-aws-nitro-enclaves.s3.x.amazonaws.com.example.org/a.crl')

/** Faults of the certificates; each document is validly signed by the key of its leaf. */
export const NITRO_CHAIN_FAULTS = {
  'foreign-root': {
    what: 'the hierarchy of somebody else under the same names',
    apply: (plan) => {
      const chain = nitroChain(`${plan.seed}/foreign`, plan.at)
      return { ...plan, chain, sign1: { ...plan.sign1, signer: chain.leaf.key } }
    },
  },
  'bundle-reversed': {
    what: 'the bundle with the root last',
    apply: bundle((c) => [c.instance.der, c.zone.der, c.region.der, c.root.der]),
  },
  'bundle-without-root': {
    what: 'the bundle without its root',
    apply: bundle((c) => [c.region.der, c.zone.der, c.instance.der]),
  },
  'bundle-without-zone': {
    what: 'the bundle without the zone',
    apply: bundle((c) => [c.root.der, c.region.der, c.instance.der]),
  },
  'bundle-extra': {
    what: 'one certificate in the bundle twice',
    apply: bundle((c) => [c.root.der, c.region.der, c.zone.der, c.zone.der, c.instance.der]),
  },
  'bundle-empty': { what: 'an empty bundle', apply: bundle(() => []) },
  'bundle-too-long': {
    what: 'a bundle of eight',
    apply: bundle((c) => [c.root, ...Array.from({ length: 6 }, () => c.region), c.instance].map(({ der }) => der)),
  },
  'bundle-other-root': {
    what: 'another root of the same name in front of a genuine chain',
    apply: bundle((c) => [nitroChain('other', 0).root.der, c.region.der, c.zone.der, c.instance.der]),
  },
  'zone-expired': {
    what: 'a zone whose certificate is over, above a key that lives',
    apply: chained((plan) =>
      nitroChain(plan.seed, plan.at, { zone: (spec) => ({ ...spec, notAfter: '2020-01-01T00:00:00Z' }) }),
    ),
  },
  'zone-elsewhere': {
    what: 'a zone that names a list at an address of its own choice',
    apply: chained((plan) =>
      nitroChain(plan.seed, plan.at, {
        zone: (spec) => ({
          ...spec,
          extensions: spec.extensions.map((e, i, all) => (i === all.length - 1 ? ELSEWHERE : e)),
        }),
      }),
    ),
  },
} as const satisfies Record<string, Fault<NitroPlan>>
