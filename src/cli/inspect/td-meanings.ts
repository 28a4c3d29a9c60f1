import type { TD_REPORT_1_5 } from '../../attestation/dcap/quote-layout.ts'
import { isZero } from '../../core/bytes.ts'
import { bitMeaning, TD_ATTRIBUTE_BITS, XFAM_BITS } from './bits.ts'
import type { Meanings } from './layout-view.ts'
import { type Meaning, optional, says } from './meanings.ts'

const SVNS = [
  ['module', 'security version of the TDX module'],
  ['moduleMajor', 'major version of the TDX module: 0 is 1.0, 1 is 1.5'],
  ['microcode', 'SEAM loader, or microcode loaded late'],
] as const

const teeTcbSvn =
  (text: string) =>
  (raw: Uint8Array): Meaning => {
    const parts = SVNS.map(([name, meaning], byte) => ({ at: `byte ${byte}`, name, value: raw[byte] ?? 0, meaning }))
    return { text: isZero(raw.subarray(SVNS.length)) ? text : `${text}; bytes 3–15 are not zero`, parts }
  }

const register = (what: string) => (raw: Uint8Array) => optional(raw, what, 'nothing was measured into it')

/** What every field of a TD report says, in the words of Intel's TDX module ABI. */
export const TD_MEANINGS: Meanings<typeof TD_REPORT_1_5> = {
  teeTcbSvn: teeTcbSvn('TDX module when the TD was launched'),
  mrSeam: says('SHA-384 of the TDX module'),
  mrSignerSeam: (raw) => optional(raw, 'signer of the TDX module: not Intel', 'Intel signed the TDX module'),
  seamAttributes: (raw) =>
    optional(raw, 'attributes of the TDX module: none has a meaning', 'as a module must have them'),
  tdAttributes: (raw) => bitMeaning(raw, TD_ATTRIBUTE_BITS, 'TDATTRIBUTES, bit 0 first'),
  xfam: (raw) => bitMeaning(raw, XFAM_BITS, 'processor state that the TD may use'),
  mrTd: says('SHA-384 of what the TD was launched with: its firmware, and nothing that it loaded'),
  mrConfigId: (raw) => optional(raw, 'given by the host at launch', 'the host gave nothing at launch'),
  mrOwner: (raw) => optional(raw, 'owner, given by the host at launch', 'none was given'),
  mrOwnerConfig: (raw) => optional(raw, 'of the owner, given by the host at launch', 'none was given'),
  rtmr0: register('firmware measured: configuration, secure boot variables, ACPI tables'),
  rtmr1: register('firmware measured: boot loader and kernel'),
  rtmr2: register('boot loader measured: kernel command line and initial file system'),
  rtmr3: register('measured by the guest at run time'),
  reportData: says('chosen by whoever asked: nonce, or hash that binds one'),
  teeTcbSvn2: teeTcbSvn('TDX module that is loaded now'),
  mrServiceTd: (raw) => optional(raw, 'hash over service TDs that are bound to it', 'no service TD is bound'),
}
