import { describe, expect, it } from 'vitest'
import { renderSelftest } from '../../src/cli/selftest/render.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { CODES, type Code } from '../../src/core/codes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import { presetPolicy } from '../../src/policy/index.ts'
import { SYMPTOMS } from '../../src/selftest/symptoms.ts'
import type { AmdFault, NvidiaFault, TdxFault } from '../../src/testing/index.ts'
import { collateralFile, inSlot, td } from '../reject/intel-stage.ts'
import { CPU, plainNvLink } from '../reject/machines.ts'
import { akashScene, amdCollateral, cpu, cpuScene, gpus, nonceOf, type Scene } from '../reject/stage.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { type Changes, tried } from './support.ts'

/** A complaint of an operator's: the machine as it stands, and as it stands once the hint was followed. */
interface Case {
  readonly complaint: string
  readonly code: Code
  readonly wrong: () => Scene
  readonly mended: () => Scene
  /** how both are judged */
  readonly how?: Changes
  /** how the wrong one alone is judged */
  readonly wrongly?: Changes
}

const ONE = gpus()
const TWO = gpus({ gpuCount: 2 })
/** Without it, the machine stays eligible for tenants who need no GPU. */
const H100: Changes = { policies: [presetPolicy('h100-confidential')] }
const good = () => akashScene(CPU, ONE)

/** One thing wrong with the CPU, mended by the machine without it. */
const amd = (complaint: string, code: Code, wrong: AmdFault): Case => ({
  ...{ complaint, code },
  wrong: () => cpuScene(cpu({ wrong })),
  mended: () => cpuScene(cpu()),
})

const nvidia = (complaint: string, code: Code, wrong: NvidiaFault): Case => ({
  ...{ complaint, code },
  wrong: () => akashScene(CPU, gpus({ wrong })),
  mended: good,
  how: H100,
})

/** The same for what needs a neighbour; tenants who accept plain NVLink ask for two. */
const pair = (complaint: string, code: Code, wrong: NvidiaFault): Case => ({
  ...{ complaint, code },
  wrong: () => akashScene(CPU, gpus({ gpuCount: 2, wrong })),
  mended: () => akashScene(CPU, TWO),
  how: { policies: [plainNvLink()] },
})

function tdScene(machine: ReturnType<typeof td>, withCollateral = true): Scene {
  const evidence = inSlot(machine.quote)
  const collateral = withCollateral ? [collateralFile(machine.collateral)] : []
  return { evidence, collateral, anchors: [anchorFromCertificate(machine.trustedRoot, 'intel/sgx-root')] }
}

const intel = (complaint: string, code: Code, wrong: TdxFault): Case => ({
  ...{ complaint, code },
  wrong: () => tdScene(td({ wrong })),
  mended: () => tdScene(td()),
})

const without = (scene: Scene, isLeftOut: (bytes: Uint8Array) => boolean): Scene => ({
  ...scene,
  collateral: scene.collateral.filter((bytes) => !isLeftOut(bytes)),
})
const isManifest = (bytes: Uint8Array) => bytes === ONE.driverRim?.bytes || bytes === ONE.vbiosRim?.bytes
const isOcsp = (bytes: Uint8Array) => ONE.ocspResponses.some(({ der }) => der === bytes)

const OLD_NONCE = await nonceOf('challenge B')

const CASES: readonly Case[] = [
  // The fix-hint table of journey C.
  {
    complaint: 'the report begins with MOCK',
    code: 'ENV_MOCK_EVIDENCE',
    wrong: () => akashScene(CPU, undefined, { report: toBase64(utf8(`MOCK${'x'.repeat(1180)}`)) }),
    mended: () => akashScene(CPU),
  },
  {
    complaint: 'a TDREPORT of 1024 bytes',
    code: 'ENV_TDREPORT_NOT_QUOTE',
    wrong: () => ({ ...tdScene(td()), evidence: inSlot(new Uint8Array(1024).fill(0x81, 0, 1)) }),
    mended: () => tdScene(td()),
  },
  {
    complaint: 'tee_platform snp on a GPU lease',
    code: 'GPU_COUNT_ZERO',
    wrong: () => akashScene(CPU),
    mended: good,
    how: { gpus: 1 },
  },
  {
    complaint: 'tee_platform snp-gpu without GPU reports',
    code: 'GPU_COUNT_ZERO',
    wrong: () => akashScene(CPU, { ...ONE, gpus: [] }),
    mended: good,
  },
  {
    complaint: 'GPU reports under a label for CPUs',
    code: 'ENV_KIND_MISMATCH',
    wrong: () => akashScene(CPU, ONE, { tee_platform: 'snp' }),
    mended: good,
  },
  {
    complaint: 'lease has 2 GPUs, evidence has 1',
    code: 'GPU_COUNT_MISMATCH',
    wrong: good,
    mended: () => akashScene(CPU, TWO),
    how: { gpus: 2, policies: [plainNvLink()] },
  },
  nvidia('measurement mismatch after a warm reboot', 'GPU_MEASUREMENT_MISMATCH', 'report/measurement-mismatch'),
  {
    complaint: 'no RIM for this VBIOS',
    code: 'GPU_RIM_UNAVAILABLE',
    wrong: () => without(good(), isManifest),
    mended: good,
    how: H100,
  },
  nvidia('bytes of the CEC behind the report', 'GPU_TRAILING_BYTES', 'report/trailing-byte'),
  {
    complaint: 'KDS answers 404',
    code: 'SNP_VCEK_UNAVAILABLE',
    wrong: () => cpuScene(CPU, []),
    mended: () => ({ ...cpuScene(CPU, []), collateral: [...amdCollateral(CPU), CPU.vek, CPU.intermediate] }),
  },
  amd('chip id all zero', 'SNP_CHIP_ID_MASKED', 'maskchipkey-nonzero-chip'),
  amd('TCB old', 'SNP_TCB_ADVISORY', 'tcb-below-advisory'),

  // Complaints of operators.
  pair('one GPU answered for two', 'GPU_NOT_DISTINCT', 'gpu-repeated-anew'),
  pair('two GPUs in two modes', 'GPU_MODE_MIXED', 'mode-mixed'),
  pair('two drivers in one guest', 'GPU_DRIVER_MIXED', 'driver-mixed'),
  {
    complaint: 'two Hopper GPUs in one guest',
    code: 'GPU_NVLINK_NOT_PROTECTED',
    wrong: () => akashScene(CPU, TWO),
    mended: good,
    how: H100,
  },
  nvidia('the sidecar caches its GPU report', 'BIND_SET_NOT_UNIFORM', 'report/nonce-differs'),
  nvidia('the GPU report is cut', 'GPU_SPDM_MALFORMED', 'report/cut-in-record'),
  nvidia('a chain of another GPU', 'GPU_SIGNATURE_INVALID', 'chain-of-another'),
  nvidia('firmware certified is not firmware measured', 'GPU_FWID_MISMATCH', 'report/fwid-mismatch'),
  nvidia('NVIDIA revoked the GPU', 'GPU_CERT_REVOKED', 'ocsp-revoked'),
  {
    complaint: 'driver older than tenants take',
    code: 'GPU_VERSION_BELOW_MINIMUM',
    wrong: () => akashScene(CPU, gpus({ driverVersion: '535.104.05' })),
    mended: good,
    how: H100,
  },
  {
    complaint: 'no OCSP answers at hand',
    code: 'OCSP_MISSING',
    wrong: () => without(good(), isOcsp),
    mended: good,
    how: H100,
  },
  amd('VCEK of the firmware before the update', 'SNP_VCEK_TCB_MISMATCH', 'tcb-cert-lower-snp'),
  amd('VCEK of another host', 'SNP_VCEK_CHIP_MISMATCH', 'hwid-mismatch'),
  amd('certificate table damaged', 'SNP_CERT_TABLE_INVALID', 'table-length-past-end'),
  amd('guest launched for debugging', 'SNP_POLICY_DEBUG_ALLOWED', 'policy-debug'),
  amd('guest launched with a migration agent', 'SNP_POLICY_MIGRATION_ALLOWED', 'policy-migrate-ma'),
  amd('alias check not complete', 'SNP_PLATFORM_ALIAS_CHECK', 'platforminfo-alias-clear'),
  amd('report made below VMPL 0', 'SNP_VMPL_MISMATCH', 'vmpl-1'),
  amd('firmware not committed', 'SNP_FIRMWARE_PROVISIONAL', 'provisional-firmware'),
  amd('report altered on the way', 'SNP_SIGNATURE_INVALID', 'report-byte-flip'),
  amd('VCEK past its end', 'X509_VALIDITY', 'leaf-expired'),
  amd('AMD revoked the ASK', 'X509_REVOKED', 'crl-ask-revoked'),
  amd('a revocation list of last year', 'CRL_STALE', 'crl-expired'),
  amd('an engineering sample, or a foreign root', 'X509_ROOT_UNTRUSTED', 'chain-rogue-ark'),
  {
    complaint: 'no revocation list at hand',
    code: 'CRL_MISSING',
    wrong: () => ({ ...cpuScene(CPU), collateral: [] }),
    mended: () => cpuScene(CPU),
  },
  {
    complaint: 'the sidecar caches its quote',
    code: 'BIND_NONCE_MISMATCH',
    wrong: () => cpuScene(cpu({ report: { reportData: OLD_NONCE } })),
    mended: () => cpuScene(CPU),
  },
  {
    complaint: 'saved evidence without its nonce',
    code: 'BIND_NOT_CHECKED',
    wrong: () => cpuScene(CPU),
    mended: () => cpuScene(CPU),
    wrongly: { answered: undefined },
  },
  {
    complaint: 'no TCB info at hand',
    code: 'TDX_TCB_INFO_MISSING',
    wrong: () => tdScene(td(), false),
    mended: () => tdScene(td()),
  },
  intel('a debug TD', 'TDX_DEBUG', 'td-debug'),
]

const words = (text: string): string => text.replace(/\s+/g, ' ')

describe('from red to green', () => {
  it('follows at least thirty complaints', () => {
    expect(new Set(CASES.map(({ complaint }) => complaint)).size).toBe(CASES.length)
    expect(CASES.length).toBeGreaterThanOrEqual(30)
  })

  it.each(CASES)('$complaint: $code', async ({ code, wrong, mended, how = {}, wrongly = {} }) => {
    const red = await tried(wrong(), { ...how, ...wrongly })
    // That nobody asked a saved file is refused by the library, and no fault of the machine.
    const isRefusal = CODES[code].verdict === 'reject' && code !== 'BIND_NOT_CHECKED'
    expect(red.outcome).toBe(isRefusal ? 'ineligible' : 'inconclusive')
    const told = words(renderSelftest(red))
    expect(told).toContain('First to mend')
    expect(told).toContain(code)
    expect(told).toContain(words(CODES[code].hint))
    for (const step of SYMPTOMS[code]?.tryInOrder ?? []) expect(told).toContain(words(step))
    expect(SYMPTOMS[code]).toBeDefined()

    const green = await tried(mended(), how)
    expect(green.outcome).toBe('eligible')
    expect(green.layers.filter(({ state }) => state === 'fail' || state === 'missing').map(({ id }) => id)).toEqual(
      how.policies === undefined || how === H100 ? [] : ['set'],
    )
  })
})
