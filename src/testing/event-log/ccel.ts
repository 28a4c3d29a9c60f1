import { concatBytes, utf8 } from '../../core/bytes.ts'
import { digest } from '../pki/pss.ts'
import { edits, extended, type LogFault, type TestEventLog } from './registers.ts'

/** One record of a CCEL area. */
export interface TestCcelEvent {
  /** of RTMR0 to RTMR3, counted from 0; the area counts from 1, and its 0 is MRTD */
  readonly register: number
  readonly type: number
  readonly data: Uint8Array
  /** what was hashed; the data by default */
  readonly hashed?: Uint8Array
}

const NO_ACTION = 3
const SEPARATOR = 4
const IPL = 0xd
const VARIABLE = 0x80000001
const APPLICATION = 0x80000003
const GPT = 0x80000006
const ACTION = 0x80000007
const AUTHORITY = 0x800000e0

const u16 = (value: number) => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number) => Uint8Array.from([0, 8, 16, 24], (shift) => (value >>> shift) & 0xff)
const u64 = (value: number) => concatBytes(u32(value), u32(0))
const ucs2 = (text: string) => Uint8Array.from([...text].flatMap((c) => [c.charCodeAt(0), 0]))

const EFI_GLOBAL_VARIABLE = '61dfe48bca93d211aa0d00e098032b8c'

/** UEFI_VARIABLE_DATA. @param guid hex as it lies in memory, EFI_GLOBAL_VARIABLE by default */
export const uefiVariableData = (name: string, data: Uint8Array, guid = EFI_GLOBAL_VARIABLE): Uint8Array =>
  concatBytes(Uint8Array.from(Buffer.from(guid, 'hex')), u64(name.length), u64(data.length), ucs2(name), data)

const variable = (name: string, data: Uint8Array): TestCcelEvent => ({
  register: 0,
  type: VARIABLE,
  data: uefiVariableData(name, data),
})
const separator = (register: number, data: Uint8Array = new Uint8Array(4)): TestCcelEvent => ({
  register,
  type: SEPARATOR,
  data,
})
const action = (text: string): TestCcelEvent => ({ register: 1, type: ACTION, data: utf8(text) })

/** The boot of a TD: firmware, GPT and boot loader, with secure boot on. */
export const CCEL_BOOT: readonly TestCcelEvent[] = [
  { register: 0, type: NO_ACTION, data: utf8('StartupLocality\0\0') },
  { register: 0, type: 0x8000000b, data: utf8('TdxTable'), hashed: utf8('a hand-off block of other bytes') },
  variable('SecureBoot', Uint8Array.of(1)),
  variable('PK', utf8('platform key')),
  variable('KEK', utf8('key exchange key')),
  variable('db', utf8('x'.repeat(2000))),
  variable('dbx', utf8('revoked')),
  separator(0),
  action('Calling EFI Application from Boot Option'),
  separator(1),
  { register: 1, type: GPT, data: utf8('EFI PART') },
  { register: 1, type: APPLICATION, data: utf8('a device path'), hashed: utf8('a boot loader') },
  { register: 0, type: AUTHORITY, data: uefiVariableData('MokListTrusted', Uint8Array.of(1)) },
  { register: 2, type: IPL, data: utf8('grub_cmd: linux\0'), hashed: utf8('linux') },
  { register: 2, type: IPL, data: utf8('kernel_cmdline: quiet\0'), hashed: utf8('quiet') },
  action('Exit Boot Services Returned with Success'),
]

const AT = { hob: 1, secureBoot: 2, kek: 4, separator0: 7, calling: 8, separator1: 9, ipl: 13, end: CCEL_BOOT.length }

/** How the area around the events is written. Left out, it is as firmware writes it. */
export interface CcelArea {
  /** bytes set aside */
  readonly areaBytes?: number
  readonly padding?: 0x00 | 0xff
  /** `none` writes the records without area: they end where the bytes end */
  readonly end?: 'padding' | 'none'
  /** in place of the first record's own */
  readonly signature?: string
  readonly algorithms?: readonly (readonly [id: number, digestBytes: number])[]
  readonly algorithmCount?: number
  /** in place of those of the record at this place */
  readonly digestCount?: readonly [at: number, count: number]
  readonly algorithmId?: readonly [at: number, id: number]
  readonly size?: readonly [at: number, size: number]
  readonly register?: readonly [at: number, register: number]
  /** written into the padding, this far behind the events */
  readonly behind?: readonly [distance: number, bytes: Uint8Array]
}

const SHA384: readonly [number, number] = [0x000c, 48]

export const ccelDigest = ({ data, hashed }: TestCcelEvent): Uint8Array => digest('sha384', hashed ?? data)

/** The bytes of a log area. */
export function ccelArea(events: readonly TestCcelEvent[], area: CcelArea = {}): Uint8Array {
  const algorithms = area.algorithms ?? [SHA384]
  const spec = concatBytes(
    utf8((area.signature ?? 'Spec ID Event03').padEnd(16, '\0')),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(area.algorithmCount ?? algorithms.length),
    ...algorithms.flatMap(([id, digestBytes]) => [u16(id), u16(digestBytes)]),
    Uint8Array.of(0),
  )
  const at = (edit: readonly [at: number, value: number] | undefined, i: number, usual: number) =>
    edit !== undefined && edit[0] === i ? edit[1] : usual
  const records = concatBytes(
    concatBytes(u32(1), u32(NO_ACTION), new Uint8Array(20), u32(spec.length), spec),
    ...events.map((event, i) =>
      concatBytes(
        u32(at(area.register, i, event.register + 1)),
        u32(event.type),
        u32(at(area.digestCount, i, 1)),
        u16(at(area.algorithmId, i, SHA384[0])),
        ccelDigest(event),
        u32(at(area.size, i, event.data.length)),
        event.data,
      ),
    ),
  )
  if (area.end === 'none') return records
  const log = new Uint8Array(area.areaBytes ?? 65536).fill(area.padding ?? 0xff)
  log.set(records)
  if (area.behind !== undefined) log.set(area.behind[1], records.length + area.behind[0])
  return log
}

const { drop, reorder, duplicate, change, insert } = edits<TestCcelEvent>()

const sent = (what: string, apply: LogFault<TestCcelEvent>['apply']): LogFault<TestCcelEvent> => ({
  what,
  by: 'sent',
  apply,
})
const measured = (what: string, apply: LogFault<TestCcelEvent>['apply']): LogFault<TestCcelEvent> => ({
  what,
  by: 'measured',
  apply,
})

/** One thing wrong with the events. */
export const CCEL_FAULTS = {
  drop: sent('an event left out', drop(AT.kek)),
  'drop-last': sent('the last event left out', drop(AT.end - 1)),
  reorder: sent('two events in the other order', reorder(AT.ipl)),
  duplicate: sent('an event told twice', duplicate(AT.ipl)),
  add: sent('an event that was not measured', insert(AT.end, action('Something else'))),
  move: sent(
    'an event in another register',
    change(AT.ipl, (e) => ({ ...e, register: 3 })),
  ),
  'payload-changed': sent(
    'SecureBoot said to be off, under the digest of on',
    change(AT.secureBoot, (e) => ({ ...e, data: uefiVariableData('SecureBoot', Uint8Array.of(0)), hashed: e.data })),
  ),
  'separator-twice': measured('a second separator in RTMR0', insert(AT.end, separator(0))),
  'separator-hidden': measured('the separator of RTMR0 under another type, and one more after SecureBoot', (events) => [
    ...change(AT.separator0, (e) => ({ ...e, type: IPL }))(events),
    variable('SecureBoot', Uint8Array.of(1)),
    separator(0),
  ]),
  'separator-missing': measured('no separator in RTMR1', drop(AT.separator1)),
  'separator-error': measured(
    'a separator that marks an error',
    change(AT.separator0, () => separator(0, Uint8Array.of(1, 0, 0, 0))),
  ),
  'separator-long': measured(
    'a separator of more than four bytes',
    change(AT.separator0, () => separator(0, new Uint8Array(5))),
  ),
  'variable-after-separator': measured('SecureBoot measured after the separator', (events) => {
    const [moved] = events.slice(AT.secureBoot, AT.secureBoot + 1)
    return moved === undefined ? events : [...drop(AT.secureBoot)(events), moved]
  }),
  'variable-in-rtmr1': measured(
    'SecureBoot measured into RTMR1',
    change(AT.secureBoot, (e) => ({ ...e, register: 1 })),
  ),
  'variable-twice': measured('SecureBoot measured twice', duplicate(AT.secureBoot)),
  'variable-of-others': measured(
    'a SecureBoot that is another vendor’s',
    change(AT.secureBoot, (e) => ({ ...e, data: uefiVariableData('SecureBoot', Uint8Array.of(1), 'ab'.repeat(16)) })),
  ),
  'variable-value': measured(
    'a SecureBoot that is neither on nor off',
    change(AT.secureBoot, () => variable('SecureBoot', Uint8Array.of(2))),
  ),
} as const satisfies Readonly<Record<string, LogFault<TestCcelEvent>>>

export type CcelFault = keyof typeof CCEL_FAULTS

export interface CcelSpec extends CcelArea {
  readonly events?: readonly TestCcelEvent[]
  readonly wrong?: CcelFault
}

/** A CCEL area and the registers that the machine has. The same specification gives the same bytes. */
export function ccelLog({ events = CCEL_BOOT, wrong, ...area }: CcelSpec = {}): TestEventLog {
  const fault: LogFault<TestCcelEvent> | undefined = wrong === undefined ? undefined : CCEL_FAULTS[wrong]
  const told = fault?.apply(events) ?? events
  const happened = (fault?.by === 'sent' ? events : told).filter(({ type }) => type !== NO_ACTION)
  return {
    log: ccelArea(told, area),
    rtmrs: extended(happened.map((event) => ({ register: event.register, digest: ccelDigest(event) }))),
  }
}

/** The ACPI table that says where such an area is. @param areaBytes its length */
export function ccelTable(areaBytes: number, edit: (table: Uint8Array) => void = () => {}): Uint8Array {
  const table = concatBytes(
    utf8('CCEL'),
    u32(56),
    Uint8Array.of(1, 0),
    utf8('VOUCH '),
    utf8('TESTKIT '),
    u32(1),
    utf8('TEST'),
    u32(1),
    Uint8Array.of(2, 0, 0, 0),
    u64(areaBytes),
    u64(0x7fff0000),
  )
  edit(table)
  table[9] = (0x100 - (table.reduce((sum, byte) => sum + byte, 0) & 0xff)) & 0xff
  return table
}
