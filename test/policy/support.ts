import type { GpuClaims, SnpClaims, SnpTcb, SwitchClaims } from '../../src/attestation/claims.ts'
import type { RevocationReport } from '../../src/attestation/kind.ts'
import { floorsFor } from '../../src/attestation/sev-snp/tcb-floors.ts'
import type { Fault, Outcome } from '../../src/core/outcome.ts'
import {
  type AppraisalSubject,
  type AppraisedItem,
  appraise,
  type Policy,
  parsePolicy,
} from '../../src/policy/index.ts'

/** 2026-06-01T00:00:00Z */
export const NOW = 1780272000

export const DIGEST = 'a1'.repeat(48)
export const OTHER_DIGEST = 'b2'.repeat(48)
export const HOST_DATA = 'c3'.repeat(32)

export type Json = Record<string, unknown>

/** The smallest complete policy. */
export const MINIMAL = {
  version: 1,
  name: 'minimal',
  require: { level: 1, cpu: { any: [{ platform: 'amd/snp' }] } },
  freshness: { maxAgeSeconds: 60 },
}

/** The smallest GPU rule. */
export const GPU = { count: 1, models: ['H100'], binding: 'shared-nonce', devtools: 'not-proved' }

/** A public key that was made for these tests and whose private half is in reference-values.test.ts where it is used. */
export const SIGNER = {
  kid: 'image-team',
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
} as const

/** A minimal policy with one SNP alternative, and members of the document, changed. */
export function documentWith(snp: Json = {}, members: Json = {}, require: Json = {}): Json {
  return {
    ...MINIMAL,
    require: { ...MINIMAL.require, cpu: { any: [{ platform: 'amd/snp', ...snp }] }, ...require },
    ...members,
  }
}

export const documentWithGpu = (gpu: Json = {}, members: Json = {}): Json =>
  documentWith({}, members, { gpu: { ...GPU, ...gpu } })

export const parsed = (document: unknown): Outcome<Policy> =>
  parsePolicy(typeof document === 'string' ? document : JSON.stringify(document))

export function policyOf(document: unknown): Policy {
  const outcome = parsed(document)
  if (!outcome.ok) throw new Error(outcome.faults.map((f) => `${f.code} ${f.path} ${f.expected ?? ''}`).join('\n'))
  return outcome.value
}

export const faultsOf = (outcome: Outcome<unknown>): readonly Fault[] => (outcome.ok ? [] : outcome.faults)

/** `CODE pointer` of every fault. */
export const told = (outcome: Outcome<unknown>): string[] => faultsOf(outcome).map((f) => `${f.code} ${f.path}`)

const TCB: SnpTcb = { fmc: undefined, bootloader: 10, tee: 0, snp: 27, microcode: 90 }

/** What an authenticated report of a Genoa machine in good order says. */
export function snpClaims(change: Partial<SnpClaims> = {}): SnpClaims {
  return {
    kind: 'amd/snp-report',
    product: 'Genoa',
    reportVersion: 5,
    cpuid: { family: 0x19, model: 0x11, stepping: 1 },
    guestSvn: 0,
    policy: {
      abiMajor: 0,
      abiMinor: 0,
      smtAllowed: true,
      migrationAgentAllowed: false,
      debugAllowed: false,
      singleSocketRequired: false,
      cxlAllowed: false,
      memAes256XtsRequired: false,
      raplDisabledRequired: false,
      ciphertextHidingRequired: false,
      pageSwapDisabled: false,
    },
    familyId: '00'.repeat(16),
    imageId: '00'.repeat(16),
    vmpl: 0,
    currentTcb: TCB,
    reportedTcb: TCB,
    committedTcb: TCB,
    launchTcb: TCB,
    platformInfo: {
      smtEnabled: true,
      tsmeEnabled: false,
      eccEnabled: true,
      raplDisabled: false,
      ciphertextHidingDramEnabled: false,
      aliasCheckComplete: true,
      iommuWriteSafe: false,
      sevTioEnabled: false,
      unknownBits: '0',
    },
    signingKey: 'vcek',
    authorKeyEnabled: false,
    maskChipKey: false,
    reportData: '5a'.repeat(64),
    measurement: DIGEST,
    hostData: '00'.repeat(32),
    idKeyDigest: '00'.repeat(48),
    authorKeyDigest: '00'.repeat(48),
    reportId: '11'.repeat(32),
    reportIdMa: 'ff'.repeat(32),
    chipId: '42'.repeat(64),
    cspId: undefined,
    currentFirmware: { major: 1, minor: 55, build: 40 },
    committedFirmware: { major: 1, minor: 55, build: 40 },
    launchMitVector: '000000000000000b',
    currentMitVector: '000000000000000b',
    ...change,
  }
}

export const snpPolicy = (change: Partial<SnpClaims['policy']>): Partial<SnpClaims> => ({
  policy: { ...snpClaims().policy, ...change },
})
export const platform = (change: Partial<SnpClaims['platformInfo']>): Partial<SnpClaims> => ({
  platformInfo: { ...snpClaims().platformInfo, ...change },
})
export const tcb = (change: Partial<SnpTcb>): SnpTcb => ({ ...TCB, ...change })

const MATCH = { status: 'match', matched: [0, 1], mismatched: [], skipped: [], rims: [] } as const

export function gpuClaims(change: Partial<GpuClaims> = {}): GpuClaims {
  return {
    kind: 'nvidia/gpu-report',
    architecture: 'HOPPER',
    akSerial: '0a'.repeat(20),
    ikSerial: '41ffeeb20009e0be49',
    pdi: 'ffeeb20009e0be49',
    hwModel: 'GH100 A01 GSP BROM',
    ueid: '1',
    nonce: '5a'.repeat(32),
    fwidMatch: 'match',
    measurements: MATCH,
    model: 'H100',
    driverVersion: '550.90.07',
    vbiosVersion: '96.00.74.00.20',
    project: '1010',
    projectSku: '0200',
    chipSku: '882',
    featureFlag: 'SPT',
    protectedPcie: false,
    nvdec0Disabled: true,
    switchPdis: [],
    ...change,
  }
}

export function switchClaims(change: Partial<SwitchClaims> = {}): SwitchClaims {
  return {
    kind: 'nvidia/switch-report',
    architecture: 'LS10',
    akSerial: '0b'.repeat(20),
    ikSerial: '50ffeeb20009e0be49',
    pdi: 'ffeeb20009e0be49',
    hwModel: 'LS_10 A01 FSP BROM',
    ueid: '2',
    nonce: '5a'.repeat(32),
    fwidMatch: 'absent-in-report',
    measurements: MATCH,
    biosVersion: '96.10.55.00.01',
    devicePdi: 'ffeeb20009e0be49',
    gpuPdis: [],
    locked: true,
    positionId: 0,
    ...change,
  }
}

const good = (chain: RevocationReport['chain']): RevocationReport => ({
  chain,
  status: 'good',
  stapled: false,
  faults: [],
})
export const NVIDIA_GOOD: readonly RevocationReport[] = [good('nvidia-device'), good('nvidia-rim')]

export const cpuItem = (change: Partial<SnpClaims> = {}, revocation = [good('amd')]): AppraisedItem => ({
  id: 'cpu',
  claims: snpClaims(change),
  revocation,
})
export const gpuItem = (change: Partial<GpuClaims> = {}, index = 0, revocation = NVIDIA_GOOD): AppraisedItem => ({
  id: `gpu-${index}`,
  claims: gpuClaims(change),
  revocation,
})
export const switchItem = (change: Partial<SwitchClaims> = {}, index = 0, revocation = NVIDIA_GOOD): AppraisedItem => ({
  id: `switch-${index}`,
  claims: switchClaims(change),
  revocation,
})

export function subjectOf(items: readonly AppraisedItem[], change: Partial<AppraisalSubject> = {}): AppraisalSubject {
  return {
    now: NOW,
    presented: items.map(({ id, claims }) => ({ id, kind: claims.kind })),
    items,
    lease: null,
    referenceValues: [],
    physical: 'unknown',
    collateral: [],
    tcbFloors: floorsFor,
    tpm: { known: [], bound: [], refused: [] },
    ...change,
  }
}

/** `CODE claim rule` of every unmet rule. */
export const unmet = (document: unknown, subject: AppraisalSubject): string[] =>
  appraise(policyOf(document), subject).faults.map(({ fault }) => `${fault.code} ${fault.path} ${fault.source}`)

/** The codes alone. */
export const codes = (document: unknown, subject: AppraisalSubject): string[] =>
  appraise(policyOf(document), subject).faults.map(({ fault }) => fault.code)
