import { concatBytes, utf8 } from '../../core/bytes.ts'
import { flipBit, littleEndian, nulTerminated } from './bytes.ts'
import type { Fault } from './fault.ts'
import { duplicateOpaque, ON, OPAQUE, setOpaque } from './opaque.ts'
import { block, missing, opaque } from './report-edits.ts'
import type { SpdmFields } from './spdm.ts'

const driverVersion = (data: Uint8Array, what: string): Fault<SpdmFields> => ({
  what,
  row: 'RJ-GPU-28',
  apply: opaque(setOpaque(OPAQUE.driverVersion, data)),
})

/** Faults in fields that only GPUs report; all of them validly signed. */
export const GPU_REPORT_FAULTS = {
  'driver-version-twice': {
    what: 'two DRIVER_VERSION fields',
    row: 'RJ-GPU-10',
    apply: opaque(duplicateOpaque(OPAQUE.driverVersion, nulTerminated('999.99.99'))),
  },
  'opaque-version-2': {
    what: 'opaque data version 2',
    apply: opaque(setOpaque(OPAQUE.opaqueDataVersion, littleEndian(2, 2))),
  },
  'feature-flag-3': {
    what: 'FEATURE_FLAG 3',
    row: 'RJ-GPU-12',
    apply: opaque(setOpaque(OPAQUE.featureFlag, littleEndian(3, 2))),
  },
  'feature-flag-missing': { ...missing(OPAQUE.featureFlag, 'no FEATURE_FLAG'), row: 'RJ-GPU-12' },
  'nvdec0-status': {
    what: 'NVDEC0 neither on nor off',
    apply: opaque(setOpaque(OPAQUE.nvdec0Status, Uint8Array.of(0))),
  },
  'nvdec0-missing': missing(OPAQUE.nvdec0Status, 'no NVDEC0_STATUS'),
  'vbios-version-long': {
    what: 'VBIOS_VERSION of nine bytes',
    apply: opaque((fields) =>
      fields.map((f) => (f.type === OPAQUE.vbiosVersion ? { ...f, data: concatBytes(f.data, Uint8Array.of(0)) } : f)),
    ),
  },
  'driver-version-missing': missing(OPAQUE.driverVersion, 'no DRIVER_VERSION'),
  'project-missing': missing(OPAQUE.project, 'no PROJECT'),
  'chip-sku-missing': missing(OPAQUE.chipSku, 'no CHIP_SKU'),
  'fwid-missing': { ...missing(OPAQUE.fwid, 'no FWID in the report'), row: 'RJ-GPU-22' },
  'fwid-mismatch': {
    what: 'FWID differs from the one in the attestation certificate',
    row: 'RJ-GPU-22',
    apply: opaque((fields) => fields.map((f) => (f.type === OPAQUE.fwid ? { ...f, data: flipBit(f.data, 0) } : f))),
  },
  'driver-version-slash': driverVersion(nulTerminated('550/../x'), 'driver version with a path in it'),
  'driver-version-dots': driverVersion(nulTerminated('..'), 'driver version ".."'),
  'driver-version-newline': driverVersion(nulTerminated('550.90\n07'), 'driver version with a newline'),
  'driver-version-no-nul': driverVersion(utf8('550.90.07'), 'driver version without its NUL'),
  'driver-version-inner-nul': driverVersion(nulTerminated('550\u000090.07'), 'driver version with a NUL inside'),
  'driver-version-empty': driverVersion(Uint8Array.of(0), 'empty driver version'),
  'driver-version-not-ascii': driverVersion(
    concatBytes(utf8('550.９0'), Uint8Array.of(0)),
    'driver version with a full-width digit',
  ),
  'project-slash': {
    what: 'PROJECT with a slash: it becomes part of a manifest id',
    row: 'RJ-GPU-28',
    apply: opaque(setOpaque(OPAQUE.project, nulTerminated('../x'))),
  },
  'chip-sku-slash': {
    what: 'CHIP_SKU with a slash: it becomes part of a manifest id',
    row: 'RJ-GPU-28',
    apply: opaque(setOpaque(OPAQUE.chipSku, nulTerminated('8/2', 9))),
  },
  'nvdec0-measurement': {
    what: 'NVDEC0 is enabled and the measurement of manifest index 35 differs',
    row: 'RJ-GPU-17',
    apply: (of) =>
      block(36, (b) => ({ ...b, value: flipBit(b.value, 0) }))(
        opaque(setOpaque(OPAQUE.nvdec0Status, Uint8Array.of(ON)))(of),
      ),
  },
} as const satisfies Record<string, Fault<SpdmFields>>
