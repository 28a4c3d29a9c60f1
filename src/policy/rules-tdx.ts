import type { TdAttributesRule, TdxRule } from './policy.ts'
import { dcapMembers, digestList, weakening } from './rules-dcap.ts'
import { ALWAYS, object } from './shape.ts'
import { always, choice, consentList, hex } from './values.ts'

const tdAttributes = object<TdAttributesRule>({
  debug: weakening('Bit 0: the host may read the TD. `allowed` needs "profile": "development".'),
  septVeDisable: {
    description:
      'Bit 28: an access to a page that the host took away ends the TD instead of handing the guest an exception. TDs behind the paravisor of Azure have it clear: write "any" for them.',
    shape: choice(['required', 'any']),
    absent: 'required',
  },
  migratable: weakening('Bit 29: the TD may be moved to another machine.'),
  perfmon: weakening('Bit 63: the TD shares performance counters with the host.'),
  pks: weakening('Bit 30: the TD may use supervisor protection keys.', 'allowed'),
  keyLocker: weakening('Bit 31: the TD may use Key Locker.', 'allowed'),
  unknownBits: {
    description: 'Attribute bits that this verifier does not know, among them every bit of the debug byte.',
    shape: choice(['refused', 'allowed']),
    absent: 'refused',
  },
})
const TD_ATTRIBUTES: TdAttributesRule = {
  debug: 'forbidden',
  septVeDisable: 'required',
  migratable: 'forbidden',
  perfmon: 'forbidden',
  pks: 'allowed',
  keyLocker: 'allowed',
  unknownBits: 'refused',
}

const rtmr = object<TdxRule['rtmr']>({
  '0': digestList(
    'RTMR0: hand-off of the virtual machine monitor, configuration, secure boot variables, ACPI tables.',
    48,
  ),
  '1': digestList('RTMR1: boot loader and kernel.', 48),
  '2': digestList('RTMR2: kernel command line and initial file system.', 48),
  '3': digestList('RTMR3: what the guest extends at run time, such as the compose file of dstack.', 48),
})

/** Rules for one Intel TDX quote. What is left out is refused as far as a machine in order can do without it. */
export const tdxRule = object<TdxRule>({
  platform: { description: 'The kind of evidence.', shape: always('intel/tdx'), absent: ALWAYS },
  ...dcapMembers,
  tdAttributes: { description: 'TDATTRIBUTES of the TD.', shape: tdAttributes, absent: TD_ATTRIBUTES },
  xfam: digestList('XFAM values, 16 hexadecimal digits each, in the order of the quote.', 8),
  serviceTds: {
    description:
      'MRSERVICETD values, 96 hexadecimal digits each: hashes over service TDs, such as a migration TD, that may be bound to this one. none: no service TD may be bound.',
    shape: consentList(hex(48), 128),
    absent: 'none',
  },
  mrSeam: digestList(
    'MRSEAM values of the TDX module. They change with every module: tcbStatus is what judges it.',
    48,
  ),
  mrTd: digestList(
    'MRTD values, 96 hexadecimal digits each: the firmware that the TD was launched with, and nothing that it loaded. Level 3 needs mrTd and rtmr 0, 1 and 2, or signed reference values.',
    48,
  ),
  rtmr: {
    description: 'Run-time measurements, 96 hexadecimal digits each.',
    shape: rtmr,
    absent: { '0': 'any', '1': 'any', '2': 'any', '3': 'any' },
  },
  mrConfigId: digestList('MRCONFIGID values, 96 hexadecimal digits each.', 48),
  mrOwner: digestList('MROWNER values, 96 hexadecimal digits each.', 48),
  mrOwnerConfig: digestList('MROWNERCONFIG values, 96 hexadecimal digits each.', 48),
})
