import type { JsonObject } from '../core/json.ts'

export type PresetName = 'cpu-confidential' | 'h100-confidential'

/**
 * Every rule is written out, so that the presets also show what the members look like; most values are those that a member
 * takes when left out. An extending policy may tighten any of them.
 */
const SNP = {
  platform: 'amd/snp',
  products: ['Genoa', 'Turin'],
  minReportVersion: 3,
  signingKeys: ['vcek'],
  vmpl: [0],
  tcbFloors: { bulletins: 'all' },
  provisionalFirmware: 'refused',
  maskedChipId: 'refused',
  guestPolicy: { debug: 'forbidden', migrationAgent: 'forbidden', smt: 'allowed', cxl: 'forbidden' },
  platformInfo: { aliasCheckComplete: 'required', unknownBits: 'refused' },
  revocation: 'required',
} as const

const TDX = {
  platform: 'intel/tdx',
  tcbStatus: ['UpToDate'],
  advisories: 'any',
  denyAdvisories: 'none',
  tdAttributes: {
    debug: 'forbidden',
    septVeDisable: 'required',
    migratable: 'forbidden',
    perfmon: 'forbidden',
    unknownBits: 'refused',
  },
  serviceTds: 'none',
  revocation: 'required',
} as const

/**
 * Level 2 (fresh) is what a tenant can reach today with the stock agent of a marketplace: on Akash the image is the
 * provider's, nobody publishes its launch digest, and its sidecar signs any report data. Level 3 needs more: the
 * measurements of the image (`measurements`; `mrTd` and `rtmr`), or `referenceValues` of whoever builds it.
 */
const LEVEL = 2

const CPU_CONFIDENTIAL = {
  version: 1,
  name: 'cpu-confidential',
  comment:
    'A current AMD SEV-SNP or Intel TDX machine, patched, not debuggable, answering our challenge. Does not pin the image: add its measurements and level 3 for that. GPUs may be there and are not relied on.',
  profile: 'production',
  require: {
    level: LEVEL,
    cpu: { any: [SNP, TDX] },
    gpu: 'any',
    physical: 'any',
    lease: 'if-given',
    leaseBinding: 'none',
  },
  freshness: { maxAgeSeconds: 120 },
  onInconclusive: 'deny',
} as const satisfies JsonObject

/**
 * Revocation of the GPU is `stapled`, since a gate must decide without asking NVIDIA's responder for every bid; devtools is
 * `not-proved` and the binding `shared-nonce`, because nothing in a Hopper report can prove more.
 */
const H100_CONFIDENTIAL = {
  version: 1,
  name: 'h100-confidential',
  comment:
    'cpu-confidential, and as many H100 or H200 as were leased, in confidential mode, measured against the manifests of NVIDIA. Does not prove that the GPU sits in this machine, nor that devtools mode is off: a measured guest image must vouch for both.',
  profile: 'production',
  require: {
    level: LEVEL,
    cpu: { any: [SNP, TDX] },
    gpu: {
      count: 'lease',
      models: ['H100', 'H200'],
      modes: 'any',
      minDriver: '550.90.07',
      rim: 'required',
      revocation: 'stapled',
      binding: 'shared-nonce',
      nonce: 'raw',
      devtools: 'not-proved',
      unique: true,
    },
    physical: 'any',
    lease: 'if-given',
    leaseBinding: 'none',
  },
  freshness: { maxAgeSeconds: 120 },
  onInconclusive: 'deny',
} as const satisfies JsonObject

/** Complete policies as documents; `presetPolicy` reads them. */
export const PRESET_DOCUMENTS: Readonly<Record<PresetName, JsonObject>> = {
  'cpu-confidential': CPU_CONFIDENTIAL,
  'h100-confidential': H100_CONFIDENTIAL,
}

export const PRESET_NAMES: readonly PresetName[] = ['cpu-confidential', 'h100-confidential']

export const isPresetName = (text: string): text is PresetName => Object.hasOwn(PRESET_DOCUMENTS, text)
