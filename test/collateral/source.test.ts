import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createCollateralSource, type NeedFault } from '../../src/collateral/index.ts'
import { enclave, sgxPolicy, td } from '../reject/intel-stage.ts'
import { ASKED, AT, bundle, bundleItem, cpu, cpuPolicy } from '../reject/stage.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { bareBoth, bareSnp, bareTdx, stockFor } from './bare.ts'
import { Fleet } from './fleet.ts'
import { type Bare, clientOf, codesOf, judgedBare } from './stage.ts'
import { pemOf } from './vendor-objects.ts'

const SNP = bareSnp()
const OLD = bareSnp({ report: { version: 2 } }, { products: ['Genoa'], minReportVersion: 2 })
const TURIN = bareSnp({ product: 'Turin', report: { version: 5 } })
const TDX = bareTdx()
const BOTH = bareBoth()
const TWO = bareBoth({}, { gpuCount: 2 })
const VLEK = cpu({ kind: 'VLEK' })
const VLEK_RULE = { signingKeys: ['vlek'], maskedChipId: 'allowed' }
const ENCLAVE = enclave()
const PCCS = 'pccs.example'

let fleet: Fleet
beforeAll(async () => {
  const objects = stockFor(SNP, TURIN, TDX, TWO).intel(ENCLAVE.collateral).pccs(PCCS, td().collateral)
  fleet = await Fleet.start(objects.amd('Genoa', vlekStock()), [PCCS])
})
afterAll(() => fleet.close())
afterEach(() => {
  fleet.heal()
  fleet.forget()
})
const vlekStock = () => ({ chain: pemOf(VLEK.intermediate, VLEK.ark), crl: VLEK.crl, key: 'vlek' as const })

const accepted = async (bare: Bare) => {
  const judged = await judgedBare(bare, clientOf(fleet, bare.at).fetchObject)
  expect(judged.obtained.faults).toEqual([])
  expect(judged.decision.findings).toEqual([])
  expect(judged.decision.verdict).toBe('accept')
  return judged
}

describe('evidence is judged from nothing but itself', () => {
  it('an SNP report', async () => {
    await accepted(SNP)
    expect(fleet.addresses().map((a) => a.replace(/[0-9a-f]{128}/, 'CHIP'))).toEqual([
      'kdsintf.amd.com/vcek/v1/Genoa/CHIP?blSPL=11&teeSPL=01&snpSPL=28&ucodeSPL=88',
      'kdsintf.amd.com/vcek/v1/Genoa/cert_chain',
      'kdsintf.amd.com/vcek/v1/Genoa/crl',
    ])
  })

  it('one of a Turin, whose chip has eight bytes and whose TCB has an FMC', async () => {
    await accepted(TURIN)
    expect(fleet.count(/\/Turin\/[0-9a-f]{16}\?fmcSPL=\d\d&blSPL=/)).toBe(1)
  })

  it('one of version 2, which does not name its product: Milan first, then Genoa, and nothing of Milan’s kept', async () => {
    const { obtained } = await accepted(OLD)
    expect(fleet.count(/\/Milan\//)).toBe(1)
    expect(obtained.objects.map(({ request }) => request)).toMatchObject([
      { kind: 'amd-vcek', product: 'Genoa' },
      { kind: 'amd-chain', product: 'Genoa' },
      { kind: 'amd-crl', product: 'Genoa' },
    ])
  })

  it('a TDX quote', async () => {
    const { obtained } = await accepted(TDX)
    expect(obtained.objects.map(({ files }) => files.length)).toEqual([2, 2, 2, 1])
    expect(fleet.count()).toBe(4)
  })

  it('a TDX quote, by a PCCS alone', async () => {
    const { fetchObject } = clientOf(fleet, AT, { pccs: `https://${PCCS}` })
    const { decision, obtained } = await judgedBare(TDX, fetchObject)
    expect(obtained.faults).toEqual([])
    expect(decision.verdict).toBe('accept')
    expect(fleet.addresses().every((address) => address.startsWith(`${PCCS}/`))).toBe(true)
  })

  it('an SGX quote', async () => {
    await accepted({
      evidence: bundle([bundleItem('cpu', 'intel/sgx-quote', ENCLAVE.quote, [])]),
      at: AT,
      anchors: [anchorFromCertificate(ENCLAVE.trustedRoot, 'intel/sgx-root')],
      how: { policy: sgxPolicy(), freshness: ASKED },
    })
  })

  it('a report and a GPU, whose manifests’ signers are asked about once the manifests are there', async () => {
    await accepted(BOTH)
    expect(fleet.count(/rim\.attestation/)).toBe(2)
    expect(fleet.count(/ocsp\.ndis/)).toBe(6)
  })

  it('two GPUs of one machine ask once for what they share', async () => {
    const { obtained } = await judgedBare(TWO, clientOf(fleet, AT).fetchObject)
    expect(obtained.faults).toEqual([])
    expect(fleet.count(/rim\.attestation/)).toBe(2)
    expect(fleet.count(/ocsp\.ndis/)).toBe(7)
  })
})

describe('what is not asked for', () => {
  it('a certificate that travelled with its report', async () => {
    const { report, table } = cpu()
    await accepted({ ...SNP, evidence: bundle([bundleItem('cpu', 'amd/snp-report', report, [table])]) })
    expect(fleet.addresses().map((address) => address.split('/').at(-1))).toEqual(['cert_chain', 'crl'])
  })

  it('anything, where the evidence is refused whatever a vendor might send', async () => {
    const { fetchObject } = clientOf(fleet, AT)
    const refused: readonly Bare[] = [
      { ...SNP, evidence: new Uint8Array(5000) },
      { ...SNP, evidence: cpu().report.slice(1) },
      { ...TDX, anchors: [] },
      bareTdx({ wrong: 'chain-foreign-root' }),
    ]
    for (const bare of refused) {
      const { decision } = await judgedBare(bare, fetchObject)
      expect(decision.verdict).toBe('reject')
    }
    expect(fleet.count()).toBe(0)
  })

  it('manifests and answers for a GPU report that its own key did not sign, or whose chain is nobody’s', async () => {
    const { fetchObject } = clientOf(fleet, AT)
    for (const bare of [bareBoth({}, { wrong: 'report/signature-bit' }), { ...BOTH, anchors: SNP.anchors }]) {
      await judgedBare(bare, fetchObject)
    }
    expect(fleet.count(/nvidia/)).toBe(0)
  })

  it('a VCEK for a chip that is masked: it must travel', async () => {
    const masked = await judgedBare(
      bareSnp({ report: { chipId: new Uint8Array(64) } }),
      clientOf(fleet, AT).fetchObject,
    )
    expect(codesOf(masked)).toEqual(['COLLATERAL_CHIP_MASKED'])
    expect(masked.decision.verdict).toBe('inconclusive')
    expect(fleet.count(/\?/)).toBe(0)
  })

  it('a VLEK: it must travel, and then only its authority and list are fetched', async () => {
    const { fetchObject } = clientOf(fleet, AT)
    const alone = await judgedBare(bareSnp({ kind: 'VLEK' }, VLEK_RULE), fetchObject)
    expect(codesOf(alone)).toEqual(['COLLATERAL_VLEK_NOT_SERVED'])
    expect(alone.decision.verdict).toBe('inconclusive')
    const beside = bundle([bundleItem('cpu', 'amd/snp-report', VLEK.report, [VLEK.vek])])
    await accepted({
      ...SNP,
      evidence: beside,
      how: { policy: cpuPolicy(VLEK_RULE), freshness: ASKED },
    })
    expect(fleet.count()).toBe(fleet.count(/\/vlek\/v1\/Genoa\/(cert_chain|crl)$/))
  })

  it('a PCK certificate that the quote only names', async () => {
    const named = await judgedBare(bareTdx({ wrong: 'certification-type-2' }), clientOf(fleet, AT).fetchObject)
    expect(codesOf(named)).toEqual(['TDX_PCK_CERT_MISSING'])
  })
})

describe('the port of the gate', () => {
  it('brings the collateral, and tells what could not be obtained', async () => {
    const told: NeedFault[] = []
    const { fetchObject } = clientOf(fleet, AT)
    const source = createCollateralSource({ fetchObject, tell: (faults) => told.push(...faults) })
    expect((await source(SNP.evidence)).crls).toHaveLength(1)
    expect(told).toEqual([])
    fleet.break(/\/crl$/, 'not found')
    expect((await source(SNP.evidence)).crls).toHaveLength(0)
    expect(told.map(({ item, fault }) => [item, fault.code, fault.path])).toEqual([
      ['collateral', 'COLLATERAL_NOT_PUBLISHED', 'amd-crl/Genoa/vcek'],
    ])
  })

  it('hands back what the verifier holds, whatever the evidence is', async () => {
    const { fetchObject } = clientOf(fleet, AT)
    const held = await createCollateralSource({ fetchObject })(SNP.evidence)
    expect(await createCollateralSource({ fetchObject, held })(new Uint8Array(3))).toBe(held)
  })
})
