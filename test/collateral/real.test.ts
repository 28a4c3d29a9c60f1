import { afterEach, expect, it } from 'vitest'
import { fromHex } from '../../src/core/encodings.ts'
import { take } from '../../src/core/outcome.ts'
import type { Evidence } from '../../src/index.ts'
import { describeEvidence, evidence, evidenceJson } from '../support/evidence.ts'
import { Fleet } from './fleet.ts'
import { clientOf, codesOf, type JudgedBare, judgedBare } from './stage.ts'
import { VendorObjects } from './vendor-objects.ts'

const fleets: Fleet[] = []
afterEach(async () => {
  for (const fleet of fleets.splice(0)) await fleet.close()
})

/** Judges real evidence by itself at that time, with what services that have the vendors' real objects answer. */
async function judgedFrom(objects: VendorObjects, bytes: Evidence, at: string): Promise<JudgedBare> {
  const fleet = await Fleet.start(objects)
  fleets.push(fleet)
  const how = { policy: null, freshness: { kind: 'notChecked', because: 'the test is about collateral' } } as const
  return judgedBare({ evidence: bytes, at, anchors: [], how }, clientOf(fleet, at).fetchObject)
}

/** Authentic, complete and not revoked: what is left is that no policy was given. */
function isProved({ decision }: JudgedBare): void {
  expect(decision.findings.map(({ code }) => code)).toEqual(['POLICY_MISSING'])
  expect(decision.items.map(({ verdict }) => verdict)).toEqual(decision.items.map(() => 'accept'))
}

const usedKinds = ({ decision }: JudgedBare) => [...new Set(decision.collateral.map(({ kind }) => kind))].sort()

describeEvidence('sev-snp/roots', () => {
  const kds = () => {
    const objects = new VendorObjects()
    for (const [product, name] of [
      ['Milan', 'milan'],
      ['Genoa', 'genoa'],
    ] as const) {
      const pem = (role: string) => evidence(`sev-snp/roots/${name}_${role}.pem`)
      const chain = new Uint8Array(Buffer.concat([pem('ask'), pem('ark')]))
      objects.amd(product, { chain, crl: evidence(`sev-snp/roots/${name}_vcek_crl.der`) })
    }
    return objects
  }

  // Within the life of the real lists: Milan's from May 2025 to May 2026, Genoa's from October 2024 to November 2025.
  it.each([
    ['virtee-milan-v2-vcek', '2026-01-01T00:00:00Z'],
    ['trustee-milan-vcek', '2026-01-01T00:00:00Z'],
    ['gosev-milan-v2-vcek', '2026-01-01T00:00:00Z'],
    ['trustee-e2e-evidence', '2025-10-01T00:00:00Z'],
  ])('a bare report: %s', async (name, at) => {
    const objects = kds().vcek(evidence(`sev-snp/${name}/vek.der`))
    const judged = await judgedFrom(objects, evidence(`sev-snp/${name}/report.bin`), at)
    expect(codesOf(judged)).toEqual([])
    isProved(judged)
    expect(usedKinds(judged)).toEqual(['x509-certificate', 'x509-crl'])
  })
})

interface RealCollateral {
  readonly pck_crl_issuer_chain: string
  readonly root_ca_crl: string
  readonly pck_crl: string
  readonly tcb_info_issuer_chain: string
  readonly tcb_info: string
  readonly tcb_info_signature: string
  readonly qe_identity_issuer_chain: string
  readonly qe_identity: string
  readonly qe_identity_signature: string
}

const derOf = (hex: string): Uint8Array => take(fromHex(hex.toLowerCase(), hex.length / 2, 'list'))

describeEvidence('intel', () => {
  it.each([
    ['derived-tdx-v4-0c699dd4-b0c06f000000-ev20', 'TDX', '2026-08-28T05:21:24Z'],
    ['derived-tdx-v4-00b2526a-00806f050000-ev17', 'TDX', '2025-10-31T14:17:11Z'],
    ['derived-sgx-v3-334b2f3f-00906ed50000-ev17', 'SGX', '2025-06-11T19:18:17Z'],
  ] as const)('a bare quote: %s', async (name, tee, at) => {
    const real = evidenceJson<RealCollateral>(`intel/${name}/collateral.json`)
    const fmspc = /-([0-9a-f]{12})-ev/.exec(name)?.[1] ?? ''
    const pckCrl = derOf(real.pck_crl)
    const objects = new VendorObjects().intel({
      tee,
      fmspc,
      ca: Buffer.from(pckCrl).includes('Platform CA') ? 'platform' : 'processor',
      tcbInfo: real.tcb_info,
      tcbInfoSignature: real.tcb_info_signature,
      tcbInfoIssuerChain: real.tcb_info_issuer_chain,
      qeIdentity: real.qe_identity,
      qeIdentitySignature: real.qe_identity_signature,
      qeIdentityIssuerChain: real.qe_identity_issuer_chain,
      rootCaCrl: derOf(real.root_ca_crl),
      pckCrl,
      pckCrlIssuerChain: real.pck_crl_issuer_chain,
    })
    const judged = await judgedFrom(objects, evidence(`intel/${name}/quote.bin`), at)
    expect(codesOf(judged)).toEqual([])
    isProved(judged)
    expect(usedKinds(judged)).toEqual(['intel-qe-identity', 'intel-tcb-info', 'x509-certificate', 'x509-crl'])
  })
})

describeEvidence('nvidia/gpu-hopper-545.00-full', () => {
  const folder = 'nvidia/gpu-hopper-545.00-full'
  const board = [
    { name: 'report.bin', bytes: evidence(`${folder}/report.bin`) },
    { name: 'certs.pem', bytes: evidence(`${folder}/certs.pem`) },
  ]
  const at = '2024-06-01T00:00:00Z'
  const driver = 'NV_GPU_DRIVER_GH100_545.00'
  const vbios = 'NV_GPU_VBIOS_1010_0200_882_96005E0001'

  // Nobody outside NVIDIA can sign the answers of its responder, so there are none.
  it('an H100 with its certificates: both manifests are fetched and match', async () => {
    const objects = new VendorObjects()
      .rim(driver, evidence(`${folder}/driver-rim.xml`))
      .rim(vbios, evidence(`${folder}/vbios-rim.xml`))
    const judged = await judgedFrom(objects, board, at)
    expect(codesOf(judged)).toEqual(['COLLATERAL_NOT_PUBLISHED'])
    const missing = judged.obtained.faults.map(({ fault }) => fault.path)
    expect(missing.filter((path) => !path.startsWith('nvidia-ocsp/'))).toEqual([])
    expect(new Set(missing).size).toBe(missing.length)
    isProved(judged)
    expect(usedKinds(judged)).toEqual(['nvidia-rim'])
  })

  it('and without one of them its absence is told by name', async () => {
    const judged = await judgedFrom(new VendorObjects().rim(driver, evidence(`${folder}/driver-rim.xml`)), board, at)
    expect(judged.obtained.faults.map(({ fault }) => [fault.path, fault.actual])).toContainEqual([
      `nvidia-rim/${vbios}`,
      'NVIDIA publishes no manifest for this VBIOS',
    ])
    expect(judged.decision.findings.map(({ code }) => code)).toContain('GPU_RIM_UNAVAILABLE')
    expect(judged.decision.verdict).toBe('inconclusive')
  })
})

describeEvidence('nvidia/ppcie-8gpu-4switch', () => {
  it('a whole board asks once for each manifest and each certificate', async () => {
    const folder = 'nvidia/ppcie-8gpu-4switch'
    const devices = [...Array(8).keys()].map((i) => `gpu-${i}`).concat([...Array(4).keys()].map((i) => `switch-${i}`))
    const board = devices.flatMap((device) =>
      ['report.bin', 'certs.pem'].map((part) => ({
        name: `${device}.${part}`,
        bytes: evidence(`${folder}/${device}.${part}`),
      })),
    )
    const judged = await judgedFrom(new VendorObjects(), board, '2026-01-01T00:00:00Z')
    const paths = judged.obtained.faults.map(({ fault }) => fault.path)
    expect(paths.filter((path) => path.startsWith('nvidia-rim/'))).toHaveLength(3)
    // The identity of each device, and the provisioners and the architecture that they share.
    const asked = paths.filter((path) => path.startsWith('nvidia-ocsp/')).length
    expect(asked).toBeGreaterThanOrEqual(devices.length + 2)
    expect(asked).toBeLessThanOrEqual(2 * devices.length + 1)
    expect(new Set(paths).size).toBe(paths.length)
  })
})
