import { expect, it } from 'vitest'
import { authenticateChain } from '../../../src/attestation/nvidia/chain.ts'
import { decodeEndorsements } from '../../../src/attestation/nvidia/endorsements.ts'
import { nvidiaGpu } from '../../../src/attestation/nvidia-gpu/index.ts'
import { nvidiaSwitch } from '../../../src/attestation/nvidia-switch/index.ts'
import { CODES } from '../../../src/core/codes.ts'
import { describeEvidence, evidence, evidenceJson } from '../../support/evidence.ts'
import { codesOf, collateralOf, contextAt, gpuClaimsOf, measurementsOf, switchClaimsOf } from './support.ts'

interface Files {
  readonly [name: string]: string | Files
}

interface Case {
  readonly id: string
  readonly verificationTime: string
  readonly nonce: string | null
  readonly files: Files
}

interface Row {
  readonly id: string
  readonly area: string
  readonly path: string
  readonly expect: 'accept' | 'reject' | 'sample' | 'data'
  readonly rim?: 'match' | 'missing'
}

const caseOf = (path: string): Case => evidenceJson<Case>(`${path}/case.json`)

/** Times in the cases have fractions of a second, and one has a remark behind it. */
const at = (of: Case): string => `${of.verificationTime.slice(0, 19)}Z`

/** Every device of a case: its report, its chain, and the manifests beside it. */
function devicesOf(
  path: string,
  files: Files,
): readonly { name: string; report: Uint8Array; chain: Uint8Array; rims: Uint8Array[] }[] {
  const file = (name: string | Files | undefined) =>
    typeof name === 'string' ? evidence(`${path}/${name}`) : undefined
  const groups: readonly (readonly [string, Files])[] = [
    ['device', files],
    ...Object.entries(files).flatMap(([name, value]) => (typeof value === 'string' ? [] : [[name, value] as const])),
  ]
  return groups.flatMap(([name, group]) => {
    const [report, chain] = [file(group.report), file(group.certChain)]
    if (report === undefined || chain === undefined) return []
    const rims = [group.driverRim, group.vbiosRim, group.biosRim].map(file).filter((r) => r !== undefined)
    return [{ name, report, chain, rims }]
  })
}

async function judgeReal(
  of: Case,
  device: { report: Uint8Array; chain: Uint8Array; rims: readonly Uint8Array[] },
  when = at(of),
) {
  const kind = [nvidiaGpu, nvidiaSwitch].find((k) => k.recognise(device.report))
  if (kind === undefined) throw new TypeError(`${of.id}: neither a GPU nor a switch`)
  const context = contextAt(when, [])
  const collateral = await collateralOf(context, device.rims)
  return kind.verify(
    { id: of.id, kind: kind.kind, bytes: device.report, endorsements: [device.chain] },
    collateral,
    context,
  )
}

const FULL = 'nvidia/gpu-hopper-545.00-full'

describeEvidence('nvidia', () => {
  const rows = evidenceJson<readonly Row[]>('index.json').filter((r) => r.area === 'nvidia')

  it('has reports to judge', () => {
    expect(rows.filter((r) => devicesOf(r.path, caseOf(r.path).files).length > 0).length).toBeGreaterThanOrEqual(12)
  })

  for (const row of rows) {
    const of = caseOf(row.path)
    for (const device of devicesOf(row.path, of.files)) {
      it(`${row.id} ${device.name}: ${row.expect}${row.rim === undefined ? '' : `, manifests: ${row.rim}`}`, async () => {
        const judgement = await judgeReal(of, device)
        const verdicts = new Set(codesOf(judgement).map((code) => CODES[code].verdict))
        if (row.expect === 'reject') {
          expect([...verdicts]).toEqual(['reject'])
        } else if (row.rim === 'missing') {
          expect([...new Set(codesOf(judgement))]).toEqual(['GPU_RIM_UNAVAILABLE'])
          expect(measurementsOf(judgement).status).toBe('unavailable')
        } else {
          expect(judgement.faults).toEqual([])
          expect(measurementsOf(judgement).status).toBe('match')
        }
        if (row.expect === 'accept' && of.nonce !== null) {
          const claims = judgement.claims?.value
          expect(claims).toMatchObject({ nonce: of.nonce })
        }
        expect(judgement.injectedAnchors).toEqual([])
      })
    }
  }

  it.each([
    ['gpu-hopper-535.86.09-measurement-mismatch', 'RIM_SIGNATURE_INVALID'],
    ['gpu-hopper-570.124.03-expired-driver-rim', 'RIM_SIGNATURE_INVALID'],
    // Report and chain are of different devices, whose firmware ids differ before their keys are tried.
    ['gpu-hopper-invalid-signature', 'GPU_FWID_MISMATCH'],
    ['switch-ls10-invalid-signature', 'GPU_SIGNATURE_INVALID'],
  ])('%s is refused with %s', async (id, code) => {
    const of = caseOf(`nvidia/${id}`)
    const [device] = devicesOf(`nvidia/${id}`, of.files)
    if (device === undefined) throw new TypeError('no device')
    expect(codesOf(await judgeReal(of, device))).toEqual([code])
  })

  it.each(['chain-missing-ik', 'chain-root-only'])('%s is no chain of five', async (id) => {
    const context = contextAt(at(caseOf(`nvidia/${id}`)), [])
    const chain = evidence(`nvidia/${id}/certs.pem`)
    const item = { id, kind: 'nvidia/gpu-report', bytes: new Uint8Array(), endorsements: [chain] } as const
    const endorsements = await decodeEndorsements(item, context, 'chain')
    const certificates = endorsements.ok ? endorsements.value.certificates : []
    const outcome = await authenticateChain(context, certificates, 'gpu', undefined, 'chain')
    expect(outcome.ok ? [] : outcome.faults.map((f) => f.code)).toEqual(['GPU_CERT_ROLE'])
  })

  it('compares 32 measurements of the complete H100 set and says why it leaves out the one of NVDEC0', async () => {
    const of = caseOf(FULL)
    const [device] = devicesOf(FULL, of.files)
    if (device === undefined) throw new TypeError('no device')
    const measurements = measurementsOf(await judgeReal(of, device))
    if (measurements.status === 'unavailable') throw new TypeError('not compared')
    expect(measurements.matched).toHaveLength(32)
    expect(measurements.mismatched).toEqual([])
    expect(measurements.skipped).toEqual([{ index: 35, because: expect.stringContaining('NVDEC0 is disabled') }])
    expect(measurements.rims.map(({ id, version }) => [id, version])).toEqual([
      ['NV_GPU_DRIVER_GH100_545.00', '545.00'],
      ['NV_GPU_VBIOS_1010_0200_882_96005E0001', '96.00.5E.00.01'],
    ])
  })

  it('refuses the same set once the certificates of its manifest signers have expired', async () => {
    const of = caseOf(FULL)
    const [device] = devicesOf(FULL, of.files)
    if (device === undefined) throw new TypeError('no device')
    const judgement = await judgeReal(of, device, '2026-06-01T00:00:00Z')
    expect([...new Set(codesOf(judgement))]).toEqual(['X509_VALIDITY'])
    expect(judgement.faults[0]?.path).toBe('rim.driver.chain[0]')
  })

  it('picks the manifests of its own versions out of the whole library', async () => {
    const library = 'nvidia/rim-library'
    const files = Object.keys(caseOf(library).files).map((name) => evidence(`${library}/${name}`))
    expect(files.length).toBeGreaterThanOrEqual(27)
    const of = caseOf(FULL)
    const [device] = devicesOf(FULL, of.files)
    if (device === undefined) throw new TypeError('no device')
    const measurements = measurementsOf(await judgeReal(of, { ...device, rims: [...files, ...device.rims] }))
    if (measurements.status === 'unavailable') throw new TypeError('not compared')
    expect(measurements.status).toBe('match')
    expect(measurements.matched).toHaveLength(32)
  })

  it('reads the identities of the protected PCIe board, each side in the same byte order', async () => {
    const path = 'nvidia/ppcie-8gpu-4switch'
    const of = caseOf(path)
    const judgements = await Promise.all(devicesOf(path, of.files).map((d) => judgeReal(of, d)))
    const gpus = judgements.filter((j) => j.kind === 'nvidia/gpu-report').map(gpuClaimsOf)
    const switches = judgements.filter((j) => j.kind === 'nvidia/switch-report').map(switchClaimsOf)
    const [gpuPdis, switchPdis] = [gpus.map((g) => g.pdi).sort(), switches.map((s) => s.pdi).sort()]
    expect([gpuPdis.length, switchPdis.length]).toEqual([8, 4])
    for (const gpu of gpus) expect([...gpu.switchPdis].sort()).toEqual(switchPdis)
    for (const one of switches) {
      expect([...one.gpuPdis].sort()).toEqual(gpuPdis)
      expect(one.devicePdi).toBe(one.pdi)
      expect(one.locked).toBe(true)
    }
    expect(gpus.every((g) => g.featureFlag === 'PPCIE' && g.protectedPcie === true && g.model === 'H100')).toBe(true)
    expect(switches.map((s) => s.positionId).sort()).toEqual([0, 1, 2, 3])
    expect(new Set(judgements.map((j) => j.hardwareId)).size).toBe(12)
  })

  it('reads Blackwell: its own form of the firmware id, no mode in opaque data version 0', async () => {
    const path = 'nvidia/gpu-blackwell-575.32'
    const of = caseOf(path)
    const [device] = devicesOf(path, of.files)
    if (device === undefined) throw new TypeError('no device')
    const claims = gpuClaimsOf(await judgeReal(of, device))
    expect(claims).toMatchObject({
      architecture: 'BLACKWELL',
      model: 'B200',
      hwModel: 'GB100 A01 GSP BROM',
      fwidMatch: 'match',
      driverVersion: '575.32',
      vbiosVersion: '97.00.88.00.0F',
      featureFlag: undefined,
      protectedPcie: undefined,
    })
    expect(claims.measurements).toEqual({
      status: 'unavailable',
      missing: ['NV_GPU_CC_DRIVER_GB100_575.32', 'NV_GPU_VBIOS_G525_0220_886_970088000F'],
    })
  })

  it('names the device as NVIDIA does', async () => {
    const path = 'nvidia/gpu-hopper-580.159.03'
    const of = caseOf(path)
    const [device] = devicesOf(path, of.files)
    if (device === undefined) throw new TypeError('no device')
    const claims = gpuClaimsOf(await judgeReal(of, device))
    expect(claims).toMatchObject({
      ueid: '509096176156678437554566035365892618958504054724',
      hwModel: 'GH100 A01 GSP BROM',
      featureFlag: 'SPT',
      // 1010_0205_862 is in no public source under a product's name.
      model: undefined,
    })
  })
})
