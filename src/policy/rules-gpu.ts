import type { GpuRule } from './policy.ts'
import { leaf, object, REQUIRED, refuseType, type Shape } from './shape.ts'
import {
  allowList,
  always,
  choice,
  decimalVersion,
  denyList,
  hex,
  integer,
  oneOf,
  vbiosVersion,
  versionAtLeast,
} from './values.ts'

/** Models whose GPUs talk to one another in plain text, and which cannot do TDISP. */
export const HOPPER_MODELS: readonly string[] = ['GH200', 'H100', 'H20', 'H200', 'H800']
const BLACKWELL_MODELS: readonly string[] = ['B100', 'B200', 'B300', 'GB200', 'GB300', 'RTX PRO 6000']
export const GPU_MODELS: readonly string[] = [...HOPPER_MODELS, ...BLACKWELL_MODELS]

/** A board in protected PCIe mode is leased whole. */
export const PPCIE_BOARD_GPUS = 8
export const PPCIE_BOARD_SWITCHES = 4

const number = integer(1, 16)
const count: Shape<'lease' | number> = leaf<'lease' | number>({
  schema: { oneOf: [{ const: 'lease' }, number.schema] },
  read(json, path, faults) {
    if (json === 'lease') return 'lease'
    return typeof json === 'number'
      ? number.read(json, path, faults)
      : refuseType(json, path, 'lease, or a number', faults)
  },
  both: (floor, tenant) => (floor === 'lease' || floor === tenant ? tenant : tenant === 'lease' ? floor : undefined),
  // One asks for the lease's number and the other for its own: together they ask for both.
  within: () => true,
})

/** Rules for the GPUs of one machine. */
export const gpuRule = object<GpuRule>({
  count: {
    description: 'How many GPUs: a number, or "lease" for as many as the lease says. Fewer and more are refused alike.',
    shape: count,
    absent: REQUIRED,
  },
  models: {
    description: 'Models as the certificates prove them, or "any".',
    shape: allowList(oneOf(GPU_MODELS)),
    absent: REQUIRED,
  },
  modes: {
    description:
      'SPT: one GPU passed through. MPT: several, NVLink encrypted. PPCIE: a whole board, NVLink plain inside it. A report that does not say its mode is then inconclusive.',
    shape: allowList(oneOf(['SPT', 'MPT', 'PPCIE'])),
    absent: 'any',
  },
  minDriver: {
    description: 'Lowest driver version, compared number by number.',
    shape: versionAtLeast(decimalVersion),
    absent: '0',
  },
  denyDrivers: { description: 'Driver versions that are refused.', shape: denyList(decimalVersion), absent: 'none' },
  minVbios: {
    description: 'Lowest VBIOS version, five pairs of hexadecimal digits.',
    shape: versionAtLeast(vbiosVersion, 16),
    absent: '00.00.00.00.00',
  },
  denyVbios: { description: 'VBIOS versions that are refused.', shape: denyList(vbiosVersion), absent: 'none' },
  rim: {
    description:
      "NVIDIA's reference manifests for driver and VBIOS: all measurements must match them, or they are not looked at.",
    shape: choice(['required', 'none']),
    absent: 'required',
  },
  revocation: {
    description:
      'OCSP answers for the device and manifest chains. required: the verifier must have obtained them; stapled: those supplied with the evidence or as files count while they are valid; none: not looked at.',
    shape: choice(['required', 'stapled', 'none']),
    absent: 'required',
  },
  binding: {
    description:
      'What ties the GPU to the CPU. shared-nonce: fresh, but it may be the GPU of another machine. measured-guest: a measured image whose publisher vouches that it takes evidence from its own driver. tdisp: the hardware proves it; Hopper cannot.',
    shape: choice(['tdisp', 'measured-guest', 'shared-nonce']),
    absent: REQUIRED,
  },
  nonce: {
    description:
      'How the GPU nonce follows from the challenge. raw: its first 32 bytes (AEP-83). derived: hashed under our label. composite: derived, and the CPU report covers the list of GPU reports.',
    shape: choice(['composite', 'derived', 'raw']),
    absent: 'raw',
  },
  devtools: {
    description:
      'Devtools mode opens a GPU to its host, and no GPU report shows it. excluded: a measured guest must vouch for it (binding measured-guest). not-proved: the tenant knows that it is not proved.',
    shape: choice(['excluded', 'not-proved']),
    absent: REQUIRED,
  },
  unique: {
    description: 'Every GPU must be another physical device. Always so; the member is there for those who look for it.',
    shape: always(true),
    absent: true,
  },
  deviceIds: {
    description: 'Devices by the serial number of their identity key, 18 hexadecimal digits each.',
    shape: allowList(hex(9)),
    absent: 'any',
  },
})
