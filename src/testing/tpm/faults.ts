import { concatBytes } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { flipBit } from '../bytes.ts'
import type { Fault } from '../nvidia/fault.ts'
import { ecKey, rsaKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import { extendedPcrs, type TestTpmEvent, tpmSeparator, tpmSha1Log, tpmVariable } from './event-log.ts'
import type { ShownPcrs, TpmPlan } from './quote.ts'
import { TPM_ALG } from './structures.ts'

type Attest = TpmPlan['attest']

const attested =
  (change: (attest: Attest) => Partial<Attest>) =>
  (plan: TpmPlan): TpmPlan => ({ ...plan, attest: { ...plan.attest, ...change(plan.attest) } })
const attributes =
  (edit: (bits: number) => number) =>
  (plan: TpmPlan): TpmPlan => ({ ...plan, attributes: edit(plan.attributes) })
const shown =
  (edit: (pcrs: Readonly<Record<string, string>>) => Readonly<Record<string, string>>) =>
  (plan: TpmPlan): TpmPlan => ({
    ...plan,
    editShown: (all): ShownPcrs => ({ ...all, sha256: edit(all.sha256 ?? {}) }),
  })
/** The log tells other events than were measured. */
const told =
  (edit: (events: readonly TestTpmEvent[]) => readonly TestTpmEvent[]) =>
  (plan: TpmPlan): TpmPlan => ({ ...plan, events: edit(plan.events) })
/** The machine measured these events, and the log tells them. */
const measured =
  (edit: (events: readonly TestTpmEvent[]) => readonly TestTpmEvent[]) =>
  (plan: TpmPlan): TpmPlan => {
    const events = edit(plan.events)
    const values = Object.fromEntries(
      (['sha1', 'sha256', 'sha384'] as const).map((bank) => {
        const extended = extendedPcrs(events, bank)
        const before = plan.values[bank] ?? {}
        return [bank, { ...before, ...Object.fromEntries(extended.slice(0, 10).map((value, pcr) => [pcr, value])) }]
      }),
    )
    return { ...plan, events, values }
  }
const certified =
  (change: TpmPlan['certificate']) =>
  (plan: TpmPlan): TpmPlan => ({ ...plan, certificate: { ...plan.certificate, ...change } })

const at = (events: readonly TestTpmEvent[], isIt: (e: TestTpmEvent) => boolean): number => events.findIndex(isIt)
const isKek = (e: TestTpmEvent): boolean => e.pcr === 7 && e.data[16] === 3
const isLoader = (e: TestTpmEvent): boolean => e.type === 0x80000003
const isSecureBoot = (e: TestTpmEvent): boolean => e.pcr === 7 && e.data[16] === 10

/** One thing wrong with a quote, its key, its log or its certificate. */
export const TPM_FAULTS = {
  'magic-zero': { what: 'the magic number zero', row: 'RJ-TPM-01', apply: attested(() => ({ magic: 0 })) },
  'magic-swapped': {
    what: 'the magic number in the other byte order',
    row: 'RJ-TPM-01',
    apply: attested(() => ({ magic: 0x474354ff })),
  },
  'type-certify': { what: 'what TPM2_Certify signs', row: 'RJ-TPM-02', apply: attested(() => ({ type: 0x8017 })) },
  'type-time': { what: 'what TPM2_GetTime signs', row: 'RJ-TPM-02', apply: attested(() => ({ type: 0x8019 })) },
  'nonce-other': {
    what: 'another challenge',
    row: 'RJ-TPM-03',
    apply: attested(({ extraData }) => ({ extraData: flipBit(extraData, 0) })),
  },
  'nonce-prefix': {
    what: 'the challenge without its last byte',
    row: 'RJ-TPM-03',
    apply: attested(({ extraData }) => ({ extraData: extraData.subarray(0, -1) })),
  },
  'nonce-longer': {
    what: 'the challenge and a byte behind it',
    row: 'RJ-TPM-03',
    apply: attested(({ extraData }) => ({ extraData: concatBytes(extraData, Uint8Array.of(0)) })),
  },
  'nonce-empty': { what: 'no challenge', row: 'RJ-TPM-03', apply: attested(() => ({ extraData: new Uint8Array() })) },
  'pcr-changed': {
    what: 'one PCR shown with another value',
    row: 'RJ-TPM-04',
    apply: shown((pcrs) => ({ ...pcrs, '4': toHex(digest('sha256', new Uint8Array())) })),
  },
  'pcr-missing': {
    what: 'one quoted PCR not shown',
    row: 'RJ-TPM-04',
    apply: shown(({ '4': _, ...others }) => others),
  },
  'pcrs-swapped': {
    what: 'the values of two PCRs in each other’s place',
    row: 'RJ-TPM-04',
    apply: shown((pcrs) => ({ ...pcrs, '4': pcrs['8'] ?? '', '8': pcrs['4'] ?? '' })),
  },
  'pcr7-not-selected': {
    what: 'a quote without PCR 7',
    row: 'RJ-TPM-05',
    apply: attested(({ selections }) => ({
      selections: selections.map((s) => ({ ...s, pcrs: s.pcrs.filter((pcr) => pcr !== 7) })),
    })),
  },
  'pcr16-as-pcr0': {
    what: 'a quote of PCR 16, shown as PCR 0',
    row: 'RJ-TPM-05',
    apply: (plan) => {
      const only16 = attested(() => ({ selections: [{ algorithm: TPM_ALG.sha256, pcrs: [16] }] }))(plan)
      return shown((pcrs) => ({ '0': pcrs['16'] ?? '' }))(only16)
    },
  },
  'bank-sha1': {
    what: 'a quote of the SHA-1 bank beside the other',
    row: 'RJ-TPM-06',
    apply: attested(({ selections }) => ({
      selections: [...selections, { algorithm: TPM_ALG.sha1, pcrs: [0, 7] }],
    })),
  },
  'log-sha1': {
    what: 'a log of SHA-1 digests alone',
    row: 'RJ-TPM-06',
    apply: (plan) => ({ ...plan, editLog: () => tpmSha1Log(plan.events) }),
  },
  'hash-told-sha384': {
    what: 'a signature that says SHA-384 and was made with SHA-256',
    row: 'RJ-TPM-07',
    apply: (plan) => ({ ...plan, toldScheme: { ...plan.scheme, hash: TPM_ALG.sha384 } }),
  },
  'scheme-told-pss': {
    what: 'a signature of RSASSA that says RSAPSS, by an RSA key',
    row: 'RJ-TPM-07',
    apply: (plan) => {
      const scheme = { scheme: TPM_ALG.rsassa, hash: TPM_ALG.sha256 }
      const toldScheme = { ...scheme, scheme: TPM_ALG.rsapss }
      return { ...plan, key: rsaKey('small-2048'), certifiedKey: rsaKey('small-2048'), scheme, toldScheme }
    },
  },
  'scheme-of-another-key': {
    what: 'an RSA signature under a key on a curve',
    row: 'RJ-TPM-07',
    apply: (plan) => ({
      ...plan,
      editSignature: (s) => concatBytes(Uint8Array.of(0, TPM_ALG.rsassa, 0, TPM_ALG.sha256), s.subarray(4, 4 + 34)),
    }),
  },
  'signed-by-another': {
    what: 'the signature of another key',
    row: 'RJ-TPM-07',
    apply: (plan) => {
      const other = ecKey('P-256', `tpm/${plan.seed}/other`)
      return { ...plan, editSignature: () => otherSignature(plan, other) }
    },
  },
  'attest-changed': {
    what: 'a quote that was changed after it was signed',
    row: 'RJ-TPM-07',
    apply: (plan) => ({ ...plan, editSent: (bytes) => flipBit(bytes, 8 * 10) }),
  },
  'attest-trailing': {
    what: 'a byte behind the quote',
    row: 'RJ-TPM-08',
    apply: (plan) => ({ ...plan, editAttest: (bytes) => concatBytes(bytes, Uint8Array.of(0)) }),
  },
  'attest-truncated': {
    what: 'a quote cut short by a byte',
    row: 'RJ-TPM-08',
    apply: (plan) => ({ ...plan, editAttest: (bytes) => bytes.subarray(0, -1) }),
  },
  'signature-trailing': {
    what: 'a byte behind the signature',
    row: 'RJ-TPM-08',
    apply: (plan) => ({ ...plan, editSignature: (bytes) => concatBytes(bytes, Uint8Array.of(0)) }),
  },
  'public-truncated': {
    what: 'a public area cut short',
    row: 'RJ-TPM-08',
    apply: (plan) => ({ ...plan, editPublic: (bytes) => bytes.subarray(0, -1) }),
  },
  'select-too-wide': {
    what: 'a bitmap of five bytes',
    row: 'RJ-TPM-08',
    apply: attested(({ selections }) => ({ selections: selections.map((s) => ({ ...s, sizeBytes: 5 })) })),
  },
  'not-restricted': {
    what: 'a key that signs anything',
    row: 'RJ-TPM-10',
    apply: attributes((bits) => bits & ~(1 << 16)),
  },
  'not-fixed': {
    what: 'a key that can leave the TPM',
    row: 'RJ-TPM-10',
    apply: attributes((bits) => bits & ~(1 << 1)),
  },
  'not-fixed-parent': {
    what: 'a key that can be moved below another',
    row: 'RJ-TPM-10',
    apply: attributes((bits) => bits & ~(1 << 4)),
  },
  imported: { what: 'a key that was brought in', row: 'RJ-TPM-10', apply: attributes((bits) => bits & ~(1 << 5)) },
  decrypts: { what: 'a key that decrypts too', row: 'RJ-TPM-10', apply: attributes((bits) => bits | (1 << 17)) },
  'does-not-sign': {
    what: 'a key that may not sign',
    row: 'RJ-TPM-10',
    apply: attributes((bits) => bits & ~(1 << 18)),
  },
  'foreign-maker': {
    what: 'a certificate by another maker of the same name',
    row: 'RJ-TPM-11',
    apply: (plan) => ({ ...plan, makerSeed: `${plan.seed}/foreign` }),
  },
  'log-dropped': {
    what: 'an event left out',
    row: 'RJ-TPM-12',
    apply: told((events) => events.filter((e) => !isLoader(e))),
  },
  'log-reordered': {
    what: 'two events in the other order',
    row: 'RJ-TPM-12',
    apply: told((events) => {
      const i = at(events, isKek)
      return [...events.slice(0, i), ...events.slice(i, i + 2).reverse(), ...events.slice(i + 2)]
    }),
  },
  'log-altered': {
    what: 'an event of other contents',
    row: 'RJ-TPM-12',
    apply: told((events) => events.map((e) => (isLoader(e) ? { ...e, hashed: Uint8Array.of(1) } : e))),
  },
  'log-added': {
    what: 'an event that was not measured, behind the last',
    row: 'RJ-TPM-12',
    apply: told((events) => [...events, { pcr: 4, type: 0xd, data: Uint8Array.of(1) }]),
  },
  'log-duplicated': {
    what: 'an event told twice',
    row: 'RJ-TPM-12',
    apply: told((events) => events.flatMap((e) => (isLoader(e) ? [e, e] : [e]))),
  },
  'log-of-another-bank': {
    what: 'a log without the quoted bank',
    row: 'RJ-TPM-12',
    apply: (plan) => ({ ...plan, logBanks: ['sha1', 'sha384'] }),
  },
  'log-data-flipped': {
    what: 'secure boot told as on, where off was measured',
    row: 'RJ-TPM-12',
    apply: (plan) => {
      const off = measured((events) =>
        events.map((e) => (isSecureBoot(e) ? tpmVariable('SecureBoot', Uint8Array.of(0)) : e)),
      )
      const on = tpmVariable('SecureBoot', Uint8Array.of(1))
      return told((events) => events.map((e) => (isSecureBoot(e) ? { ...on, hashed: e.data } : e)))(off(plan))
    },
  },
  'log-size-bomb': {
    what: 'an event of four gigabytes',
    row: 'RJ-TPM-13',
    apply: (plan) => ({ ...plan, logForm: { size: [3, 0xffffffff] } }),
  },
  'log-digest-count': {
    what: 'more digests than algorithms',
    row: 'RJ-TPM-13',
    apply: (plan) => ({ ...plan, logForm: { digestCount: [3, 4] } }),
  },
  'log-algorithm-count': {
    what: 'more algorithms than are listed',
    row: 'RJ-TPM-13',
    apply: (plan) => ({ ...plan, logForm: { algorithmCount: 9 } }),
  },
  'log-locality': {
    what: 'a locality that does not exist',
    row: 'RJ-TPM-13',
    apply: told(([first, ...others]) =>
      first === undefined ? others : [{ ...first, data: first.data.with(-1, 255) }, ...others],
    ),
  },
  'log-locality-twice': {
    what: 'the locality told twice',
    row: 'RJ-TPM-13',
    apply: told((events) => [...events.slice(0, 1), ...events]),
  },
  'secure-boot-off': {
    what: 'secure boot measured as off',
    row: 'RJ-TPM-14',
    apply: measured((events) => events.map((e) => (isSecureBoot(e) ? tpmVariable('SecureBoot', Uint8Array.of(0)) : e))),
  },
  'secure-boot-not-measured': {
    what: 'a boot that does not measure secure boot',
    row: 'RJ-TPM-14',
    apply: measured((events) => events.filter((e) => !isSecureBoot(e))),
  },
  'clock-unsafe': {
    what: 'a clock that may have gone back',
    row: 'RJ-TPM-15',
    apply: attested(() => ({ safe: 0 })),
  },
  'reset-count-back': {
    what: 'fewer resets than were seen before',
    row: 'RJ-TPM-15',
    apply: attested(({ resetCount }) => ({ resetCount: resetCount - 1 })),
  },
  'second-separator': {
    what: 'a second separator, measured',
    apply: measured((events) => [...events, tpmSeparator(7)]),
  },
  'error-separator': {
    what: 'a separator that marks an error',
    apply: measured((events) =>
      events.map((e) => (e.type === 4 && e.pcr === 7 ? tpmSeparator(7, Uint8Array.of(1, 0, 0, 0)) : e)),
    ),
  },
  'secure-boot-late': {
    what: 'secure boot measured again behind the separator',
    apply: measured((events) => [...events, tpmVariable('SecureBoot', Uint8Array.of(1))]),
  },
  'bank-twice': {
    what: 'one bank selected twice',
    apply: attested(({ selections }) => ({ selections: [...selections, ...selections] })),
  },
  'selects-nothing': {
    what: 'a quote of no PCR',
    apply: attested(() => ({ selections: [{ algorithm: TPM_ALG.sha256, pcrs: [] }] })),
  },
  'signature-none': {
    what: 'a signature of no algorithm',
    apply: (plan) => ({ ...plan, toldScheme: { ...plan.scheme, scheme: TPM_ALG.null } }),
  },
  'signature-hmac': {
    what: 'an HMAC',
    apply: (plan) => ({ ...plan, toldScheme: { ...plan.scheme, scheme: TPM_ALG.hmac } }),
  },
  'signature-sha1': {
    what: 'a signature over SHA-1',
    apply: (plan) => ({ ...plan, toldScheme: { ...plan.scheme, hash: TPM_ALG.sha1 } }),
  },
  'certificate-of-another': {
    what: 'the certificate of another key',
    apply: (plan) => ({ ...plan, certifiedKey: ecKey('P-256', `tpm/${plan.seed}/other`) }),
  },
  'certificate-purpose': { what: 'a certificate for TLS', apply: certified({ purpose: '1.3.6.1.5.5.7.3.2' }) },
  'certificate-without-name': { what: 'a certificate that names no maker', apply: certified({ san: null }) },
  'certificate-name-not-critical': {
    what: 'a name that may be passed over',
    apply: certified({ san: { critical: false } }),
  },
  'certificate-manufacturer': {
    what: 'a manufacturer in words',
    apply: certified({ san: { manufacturer: 'Infineon' } }),
  },
  'certificate-not-production': {
    what: 'an instance that is no production one',
    apply: certified({ instance: { isProduction: false } }),
  },
} as const satisfies Record<string, Fault<TpmPlan>>

export type TpmFault = keyof typeof TPM_FAULTS

function otherSignature(plan: TpmPlan, key: ReturnType<typeof ecKey>): Uint8Array {
  const raw = key.signRaw(Uint8Array.of(1))
  const size = Uint8Array.of(0, 32)
  const { scheme, hash } = plan.scheme
  const head = Uint8Array.of(scheme >> 8, scheme & 0xff, hash >> 8, hash & 0xff)
  return concatBytes(head, size, raw.subarray(0, 32), size, raw.subarray(32))
}
