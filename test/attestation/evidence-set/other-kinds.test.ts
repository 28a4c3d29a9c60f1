import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'
import { toBase64 } from '../../../src/core/encodings.ts'
import type { Decision } from '../../../src/decision/decision.ts'
import { prepareCollateral } from '../../../src/index.ts'
import { ccaToken, nitroDocument } from '../../../src/testing/index.ts'
import {
  akashQuote,
  amdAnchors,
  amdCollateral,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  gpuPolicy,
  gpus,
  type How,
  json,
  judged,
  LEASE,
  NONCE,
  nvidiaAnchors,
  nvidiaCollateral,
  nvidiaItems,
  type Scene,
  SEED,
} from '../../reject/stage.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

const NITRO = nitroDocument(SEED, { nonce: NONCE })
const CCA = ccaToken(SEED, { challenge: NONCE })
const ANCHORS = [anchorFromCertificate(NITRO.root, 'aws/nitro-root')]

const sceneOf = (evidence: Scene['evidence']): Scene => ({
  evidence,
  collateral: [utf8(CCA.platformKeyPem)],
  anchors: ANCHORS,
})
const nitroScene = (document = NITRO.document) => sceneOf(bundle([bundleItem('cpu', 'aws/nitro', document, [])]))
const ccaScene = (token = CCA.token) => sceneOf(bundle([bundleItem('cpu', 'arm/cca-token', token, [])]))

const codes = ({ findings }: Decision): readonly string[] => [...new Set(findings.map((f) => f.code))].sort()
const alone = (scene: Scene, how: How = {}) => judged(scene, { policy: null, ...how })

describe('evidence of kinds that no policy speaks of', () => {
  it.each([
    ['aws/nitro', 'in a bundle', nitroScene()],
    ['aws/nitro', 'as raw bytes', sceneOf(NITRO.document)],
    ['aws/nitro', 'with its tag', sceneOf(concatBytes(Uint8Array.of(0xd2), NITRO.document))],
    ['arm/cca-token', 'in a bundle', ccaScene()],
    ['arm/cca-token', 'as raw bytes', sceneOf(CCA.token)],
  ])('is proved without a policy, and reaches no level: %s %s', async (kind, _, scene) => {
    const decision = await alone(scene)
    expect([decision.verdict, decision.level, codes(decision)]).toEqual(['inconclusive', 0, ['POLICY_MISSING']])
    expect(decision.items.map((i) => [i.id, i.verdict, i.claims?.kind])).toEqual([['cpu', 'accept', kind]])
  })

  it.each([
    ['aws/nitro', nitroScene()],
    ['arm/cca-token', ccaScene()],
  ])('is refused under any policy: %s', async (_, scene) => {
    for (const policy of [cpuPolicy(), cpuPolicy({}, {}, { level: 1 }), gpuPolicy()]) {
      const decision = await judged(scene, { policy, lease: LEASE })
      expect([decision.verdict, decision.level]).toEqual(['reject', 0])
      expect(codes(decision)).toContain('POLICY_KIND_NOT_COVERED')
    }
    expect(codes(await judged(scene))).toEqual(['POLICY_KIND_NOT_COVERED'])
  })

  it.each([
    ['aws/nitro', 'aws/nitro', NITRO.document],
    ['arm/cca-token', 'arm/cca-token', CCA.token],
  ])('does not ride on a CPU report that is accepted: %s', async (_, format, bytes) => {
    const machine = cpu()
    const report = bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table])
    const scene = {
      evidence: bundle([report, bundleItem('other', format, bytes, [])]),
      collateral: [...amdCollateral(machine), utf8(CCA.platformKeyPem)],
      anchors: [...amdAnchors(machine), ...ANCHORS],
    }
    const decision = await judged(scene)
    expect(decision.items.map((i) => i.claims !== undefined)).toEqual([true, true])
    expect([decision.verdict, decision.level]).toEqual(['reject', 0])
    expect(codes(decision)).toEqual(['ENV_ITEM_DUPLICATE', 'POLICY_KIND_NOT_COVERED'])
  })

  it('carries no GPU: the pair is no confidential machine', async () => {
    const devices = gpus()
    const scene = {
      evidence: bundle([bundleItem('cpu', 'aws/nitro', NITRO.document, []), ...nvidiaItems(devices)]),
      collateral: nvidiaCollateral(devices),
      anchors: [...ANCHORS, ...nvidiaAnchors(devices)],
    }
    const decision = await judged(scene, { policy: gpuPolicy(), lease: LEASE })
    expect([decision.verdict, decision.level, decision.gpuBinding]).toEqual(['reject', 0, 'none'])
    expect(codes(decision)).toEqual(['POLICY_KIND_NOT_COVERED'])
    const unruled = await alone(scene)
    expect([unruled.level, unruled.gpuBinding, codes(unruled)]).toEqual([0, 'none', ['POLICY_MISSING']])
  })
})

describe('the challenge in them', () => {
  const asked = async (scene: Scene, nonce = NONCE) =>
    codes(await alone(scene, { freshness: { kind: 'nonce', nonce } }))
  const documentWith = (nonce: Uint8Array) => nitroScene(nitroDocument(SEED, { nonce }).document)

  it('is the whole nonce, and nothing else will do', async () => {
    expect(await asked(nitroScene())).toEqual(['POLICY_MISSING'])
    const wrong = [
      documentWith(NONCE.subarray(0, 32)),
      documentWith(concatBytes(NONCE, Uint8Array.of(0))),
      documentWith(new Uint8Array()),
      documentWith(NONCE.map((byte) => byte ^ 1)),
      nitroScene(nitroDocument(SEED, { nonce: NONCE, wrong: 'nonce-missing' }).document),
      nitroScene(nitroDocument(SEED, { nonce: NONCE, wrong: 'nonce-in-user-data' }).document),
      nitroScene(nitroDocument(SEED, { publicKey: NONCE }).document),
      ccaScene(ccaToken(SEED).token),
      ccaScene(ccaToken(SEED, { challenge: concatBytes(NONCE.subarray(0, 32), new Uint8Array(32)) }).token),
    ]
    for (const scene of wrong) expect(await asked(scene)).toEqual(['BIND_NONCE_MISMATCH'])
    expect(await asked(ccaScene(), NONCE.subarray(0, 32))).toEqual(['BIND_NONCE_MISMATCH'])
    expect(await asked(nitroScene(), new Uint8Array(65))).toEqual(['BIND_LENGTH_MISMATCH'])
  })
})

describe('their envelopes', () => {
  it('hold them to what the carrier says they are', async () => {
    const labelled = (format: string, bytes: Uint8Array) =>
      alone(sceneOf(bundle([bundleItem('cpu', format, bytes, [])])))
    expect(codes(await labelled('amd/snp-report', NITRO.document))).toEqual(['ENV_KIND_MISMATCH'])
    expect(codes(await labelled('aws/nitro', CCA.token))).toEqual(['ENV_KIND_MISMATCH'])
    expect(codes(await labelled('arm/cca-token', cpu().report))).toEqual(['ENV_KIND_MISMATCH'])
    const quote = json({ ...akashQuote(cpu(), undefined), report: toBase64(NITRO.document) })
    expect(codes(await alone(sceneOf(quote)))).toEqual(['ENV_KIND_MISMATCH'])
  })

  it('do not make a platform key of what lies beside the token', async () => {
    const files = [
      { name: 'token.cbor', bytes: CCA.token },
      { name: 'cpak.pem', bytes: utf8(CCA.platformKeyPem) },
    ]
    const decision = await alone({ evidence: files, collateral: [], anchors: [] })
    expect(codes(decision)).toEqual(['CCA_PLATFORM_KEY_UNAVAILABLE', 'COLLATERAL_UNRECOGNISED'])
    expect(decision.items[0]?.claims).toBeUndefined()
  })

  it('leave keys that the verifier brings readable, or tell what is wrong with them', async () => {
    const held = await prepareCollateral([{ name: 'cpak.pem', bytes: utf8(CCA.platformKeyPem) }])
    expect([held.faults, held.collateral.platformKeys.length]).toEqual([[], 1])
    const broken = CCA.platformKeyPem.replace(/\n[A-Za-z0-9+/]{4}/, '\nAAAA')
    const { faults, collateral } = await prepareCollateral([{ name: 'cpak.pem', bytes: utf8(broken) }])
    expect([faults.length, collateral.platformKeys]).toEqual([1, []])
  })
})
