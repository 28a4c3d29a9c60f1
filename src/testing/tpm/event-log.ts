import { concatBytes, utf8 } from '../../core/bytes.ts'
import { littleEndian } from '../bytes.ts'
import { uefiVariableData } from '../event-log/ccel.ts'
import { digest } from '../pki/pss.ts'
import type { TestBank } from './structures.ts'

/** One record of a TPM's event log. */
export interface TestTpmEvent {
  readonly pcr: number
  readonly type: number
  readonly data: Uint8Array
  /** what was hashed; the data by default */
  readonly hashed?: Uint8Array
}

export const NO_ACTION = 3
const SEPARATOR = 4
const IPL = 0xd
export const VARIABLE = 0x80000001
const APPLICATION = 0x80000003
const ACTION = 0x80000007

const u16 = (value: number): Uint8Array => littleEndian(value, 2)
const u32 = (value: number): Uint8Array => littleEndian(value, 4)

export const tpmVariable = (name: string, data: Uint8Array): TestTpmEvent => ({
  pcr: 7,
  type: VARIABLE,
  data: uefiVariableData(name, data),
})
export const tpmSeparator = (pcr: number, data: Uint8Array = new Uint8Array(4)): TestTpmEvent => ({
  pcr,
  type: SEPARATOR,
  data,
})

/** The boot of a machine whose TPM was started from locality 3, with secure boot as said. */
export const tpmBoot = (secureBoot: boolean): readonly TestTpmEvent[] => [
  { pcr: 0, type: NO_ACTION, data: utf8('StartupLocality\0\u0003') },
  { pcr: 0, type: 8, data: utf8('firmware 1') },
  { pcr: 0, type: 0x80000008, data: utf8('a place in memory'), hashed: utf8('firmware volume') },
  tpmVariable('SecureBoot', Uint8Array.of(secureBoot ? 1 : 0)),
  tpmVariable('PK', utf8('platform key')),
  tpmVariable('KEK', utf8('key exchange key')),
  tpmVariable('db', utf8('allowed')),
  tpmVariable('dbx', utf8('revoked')),
  { pcr: 4, type: ACTION, data: utf8('Calling EFI Application from Boot Option') },
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((pcr) => tpmSeparator(pcr)),
  { pcr: 4, type: APPLICATION, data: utf8('a device path'), hashed: utf8('a boot loader') },
  { pcr: 8, type: IPL, data: utf8('grub_cmd: linux\0'), hashed: utf8('linux') },
  { pcr: 9, type: IPL, data: utf8('/boot/vmlinuz\0'), hashed: utf8('a kernel') },
  { pcr: 5, type: ACTION, data: utf8('Exit Boot Services Returned with Success') },
]

/** How a log is written. Left out, it is as firmware writes it. */
export interface TpmLogForm {
  readonly algorithmCount?: number
  /** in place of those of the record at this place */
  readonly digestCount?: readonly [at: number, count: number]
  readonly size?: readonly [at: number, size: number]
}

const IDS: Readonly<Record<TestBank, readonly [id: number, digestBytes: number]>> = {
  sha1: [0x0004, 20],
  sha256: [0x000b, 32],
  sha384: [0x000c, 48],
}

const eventDigest = (bank: TestBank, { data, hashed }: TestTpmEvent): Uint8Array => digest(bank, hashed ?? data)

/** The bytes of a crypto-agile log with these banks. */
export function tpmLogBytes(
  events: readonly TestTpmEvent[],
  banks: readonly TestBank[],
  form: TpmLogForm = {},
): Uint8Array {
  const spec = concatBytes(
    utf8('Spec ID Event03\0'),
    u32(0),
    Uint8Array.of(0, 2, 0, 2),
    u32(form.algorithmCount ?? banks.length),
    ...banks.flatMap((bank) => [u16(IDS[bank][0]), u16(IDS[bank][1])]),
    Uint8Array.of(0),
  )
  const at = (edit: readonly [at: number, value: number] | undefined, i: number, usual: number) =>
    edit !== undefined && edit[0] === i ? edit[1] : usual
  return concatBytes(
    concatBytes(u32(0), u32(NO_ACTION), new Uint8Array(20), u32(spec.length), spec),
    ...events.map((event, i) =>
      concatBytes(
        u32(event.pcr),
        u32(event.type),
        u32(at(form.digestCount, i, banks.length)),
        ...banks.flatMap((bank) => [u16(IDS[bank][0]), eventDigest(bank, event)]),
        u32(at(form.size, i, event.data.length)),
        event.data,
      ),
    ),
  )
}

/** A log of the form before crypto agility, SHA-1 alone. */
export const tpmSha1Log = (events: readonly TestTpmEvent[]): Uint8Array =>
  concatBytes(
    ...events.map((e) => concatBytes(u32(e.pcr), u32(e.type), eventDigest('sha1', e), u32(e.data.length), e.data)),
  )

/** PCR 0 to 15 after these events. */
export function extendedPcrs(events: readonly TestTpmEvent[], bank: TestBank): readonly Uint8Array[] {
  const size = IDS[bank][1]
  const locality = events.find((e) => e.pcr === 0 && e.type === NO_ACTION)?.data.at(-1) ?? 0
  return Array.from({ length: 16 }, (_, pcr) => {
    let value: Uint8Array = new Uint8Array(size)
    if (pcr === 0) value = value.with(-1, locality)
    for (const event of events)
      if (event.pcr === pcr && event.type !== NO_ACTION) value = digest(bank, value, eventDigest(bank, event))
    return value
  })
}
