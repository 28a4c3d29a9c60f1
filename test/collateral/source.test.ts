import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { obtainCollateral } from '../../src/collateral/index.ts'
import { createVerificationCache, type Decision, type Evidence, type TrustAnchor, verify } from '../../src/index.ts'
import type { Policy } from '../../src/policy/policy.ts'
import {
  AT,
  amdAnchors,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  gpuPolicy,
  gpus,
  LEASE,
  loneGpu,
  NONCE,
  NOW,
  nvidiaAnchors,
  nvidiaItems,
} from '../reject/stage.ts'
import { Fleet } from './fleet.ts'
import { clientOf } from './stage.ts'
import { pemOf, VendorObjects } from './vendor-objects.ts'

const CPU = cpu()
const GPU = gpus()
const objects = new VendorObjects()
  .amd('Genoa', { chain: pemOf(CPU.intermediate, CPU.ark), crl: CPU.crl })
  .vcek(CPU.vek)
  .nvidia(GPU, AT)
let fleet: Fleet
beforeAll(async () => {
  fleet = await Fleet.start(objects)
})
afterAll(() => fleet.close())

const judgedWith = async (evidence: Evidence, anchors: readonly TrustAnchor[], policy: Policy, more = {}) => {
  const { fetchObject } = clientOf(fleet, AT)
  const obtained = await obtainCollateral(evidence, { fetchObject, injectedAnchors: anchors })
  const decision = await verify(evidence, {
    now: NOW,
    policy,
    freshness: { kind: 'nonce', nonce: NONCE },
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: anchors,
    cache: createVerificationCache(),
    collateral: obtained.collateral,
    ...more,
  })
  return { decision, obtained }
}

it('works', async () => {
  const a = await judgedWith(CPU.report, amdAnchors(CPU), cpuPolicy())
  expect(a.obtained.faults).toEqual([])
  expect(a.decision.findings).toEqual([])
  console.log(fleet.addresses())
  const ev = bundle([bundleItem('cpu', 'amd/snp-report', CPU.report, []), ...nvidiaItems(GPU)])
  const b = await judgedWith(ev, [...amdAnchors(CPU), ...nvidiaAnchors(GPU)], gpuPolicy({ revocation: 'required' }), {
    lease: LEASE,
  })
  expect(b.obtained.faults).toEqual([])
  expect(b.decision.findings).toEqual([])
  console.log(fleet.addresses(), fleet.count())
})
