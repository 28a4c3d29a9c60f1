import { calculateJwkThumbprint } from 'jose'
import { decodeHclReport, decodeRuntimeData } from '../../src/attestation/azure-cvm/index.ts'
import { decodeCcaToken } from '../../src/attestation/cca/index.ts'
import { decodeChallenge } from '../../src/attestation/challenge.ts'
import { readIntelFile } from '../../src/attestation/dcap/collateral-files.ts'
import { splitAnswer } from '../../src/attestation/dcap/documents.ts'
import { pckExtension } from '../../src/attestation/dcap/pck-extension.ts'
import { decodeQeIdentity } from '../../src/attestation/dcap/qe-identity.ts'
import { decodeTcbInfo } from '../../src/attestation/dcap/tcb-info.ts'
import { readEvidence } from '../../src/attestation/envelopes/index.ts'
import { type DstackLogVersion, decodeCcelTable, judgeEventLog } from '../../src/attestation/event-log/index.ts'
import { decodeNitroDocument } from '../../src/attestation/nitro/index.ts'
import { certifiedFwid } from '../../src/attestation/nvidia/fwid.ts'
import { authenticateRim, rimIdentityOf } from '../../src/attestation/nvidia/rim/index.ts'
import { decodeXml, MANIFEST_CHARACTERS } from '../../src/attestation/nvidia/rim/xml.ts'
import { decodeSpdm } from '../../src/attestation/nvidia/spdm.ts'
import { decodeCertificateTable } from '../../src/attestation/sev-snp/certificate-table.ts'
import { decodeSnpReport } from '../../src/attestation/sev-snp/decode.ts'
import { vekExtensions } from '../../src/attestation/sev-snp/vek-extensions.ts'
import { decodeSgxQuote } from '../../src/attestation/sgx/index.ts'
import { decodeTdxQuote } from '../../src/attestation/tdx/index.ts'
import { judgeTpmEventLog } from '../../src/attestation/tpm/event-log.ts'
import {
  decodeAttest,
  decodeCredentialFile,
  decodePcrFile,
  decodePublicArea,
  decodeSignature,
  decodeTpmQuote,
} from '../../src/attestation/tpm/index.ts'
import { latin1, utf8 } from '../../src/core/bytes.ts'
import { AS_WRITTEN, decodeCbor } from '../../src/core/cbor.ts'
import { Context, createVerificationCache, type VerificationCache } from '../../src/core/context.ts'
import { type CoseSign1, decodeCoseSign1 } from '../../src/core/cose.ts'
import { ecdsaRawFromDer } from '../../src/core/crypto/ecdsa.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { decodeDer } from '../../src/core/der.ts'
import { fromBase64, fromHex, fromUtf8, toBase64, toBase64url, toHex } from '../../src/core/encodings.ts'
import { canonicalJson, parseJson } from '../../src/core/json.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { fail, failed, type NonEmpty, type Outcome, ok } from '../../src/core/outcome.ts'
import { decodePem } from '../../src/core/pem.ts'
import { decodeCertificate } from '../../src/core/x509/certificate.ts'
import { decodeCrl } from '../../src/core/x509/crl.ts'
import { decodeOcsp } from '../../src/core/x509/ocsp.ts'
import { decodeClaims } from '../../src/decision/credential/claims.ts'
import { checkHolder, HOLDER_PROOF_TYPE, holderStatementText } from '../../src/decision/credential/holder.ts'
import { type CredentialExpectation, type CredentialKey, checkCredential } from '../../src/decision/credential/index.ts'
import { publicJwk } from '../../src/decision/credential/jws.ts'
import { lintSdl } from '../../src/gate/sdl/index.ts'
import { NO_COLLATERAL, prepareCollateral, verify } from '../../src/index.ts'
import { canonicalPolicy, parsePolicy, presetPolicy } from '../../src/policy/index.ts'
import type { SignerKey } from '../../src/policy/policy.ts'
import { PRESET_DOCUMENTS } from '../../src/policy/presets.ts'
import { authenticateReferenceValue, REFERENCE_VALUE_TYPE } from '../../src/policy/reference-values.ts'
import {
  ccelLog,
  ccelTable,
  createNvidiaTestPki,
  defaultRuntimeData,
  dstackLog,
  ecKey,
  hclReport,
  type TestEventLog,
  tpmQuote,
} from '../../src/testing/index.ts'
import {
  answer,
  chainPem,
  pckCrl,
  qeIdentityOf,
  quoteCollateral,
  tcbInfoOf,
} from '../attestation/dcap/intel-authority.ts'
import { judge, pckCertificate } from '../attestation/dcap/support.ts'
import { order } from '../gate/sdl/support.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import type { FuzzTarget } from './execute.ts'
import { CBOR, characters, DER, either, type Format, JSON_TEXT, PEM, RAW, stretched, XML, YAML } from './formats.ts'
import {
  blackwell,
  cca,
  envelopes,
  genoa,
  hopper,
  json,
  logAreas,
  milan,
  nitro,
  nonEmpty,
  once,
  quoteShape,
  SEED,
  sgxQuotes,
  tdxQuotes,
  tpm,
  turin,
} from './seeds.ts'

interface Entry {
  readonly format: Format
  /** What the decoder accepts, or what the layer before it lets through. */
  readonly limitBytes: number
  readonly seeds: () => NonEmpty<Uint8Array>
  readonly run: FuzzTarget['run']
  readonly pace?: FuzzTarget['pace']
}

/** A little over the limit, so that the limit is tried as well. */
const OVER_BYTES = 64

function target(name: string, { format, limitBytes, seeds, run, pace = 'decoder' }: Entry): FuzzTarget {
  const corpus = once(() => {
    const made = seeds()
    const heavy = [...format.heavy(limitBytes), ...made.map((seed) => stretched(seed, limitBytes))]
    return { seeds: made, heavy, tokens: format.tokens, maxBytes: limitBytes + OVER_BYTES }
  })
  return { name, corpus, run, pace }
}

/** Text, one character per byte, so that any of U+0000 to U+00FF comes up. */
const textual =
  (run: (text: string) => Outcome<unknown> | Promise<Outcome<unknown>>) =>
  (bytes: Uint8Array): Outcome<unknown> | Promise<Outcome<unknown>> =>
    run(latin1(bytes))

/** The second decoder sees what the first accepted. */
const after = <T>(outcome: Outcome<T>, next: (value: T) => Outcome<unknown>): Outcome<unknown> =>
  outcome.ok ? next(outcome.value) : outcome

function impossible(what: string): never {
  throw new TypeError(what)
}

const EVIDENCE = LIMITS.evidenceBytes

const certificates = (): NonEmpty<Uint8Array> => [
  genoa().vek,
  genoa().intermediate,
  genoa().ark,
  turin().vek,
  ...hopper().gpus.flatMap((gpu) => gpu.chainDer),
]

const core: readonly FuzzTarget[] = [
  target('der', { format: DER, limitBytes: EVIDENCE, seeds: certificates, run: (bytes) => decodeDer(bytes, 'der') }),
  target('certificate', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: certificates,
    run: (bytes) => decodeCertificate(bytes, 'certificate'),
  }),
  target('crl', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => [genoa().crl, milan().crl],
    run: (bytes) => decodeCrl(bytes, 'crl'),
  }),
  target('ocsp', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty(hopper().ocspResponses.map((answer) => answer.der)),
    run: (bytes) => decodeOcsp(bytes, 'ocsp'),
  }),
  target('pem', {
    format: PEM,
    limitBytes: EVIDENCE,
    seeds: () => [utf8(genoa().chainPem), utf8(nonEmpty(hopper().gpus)[0].chainPem)],
    run: (bytes) => decodePem(bytes, 'pem'),
  }),
  target('ecdsa-signature', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty(['a', 'b', 'c'].map((message) => ecKey('P-384', 'fuzz').sign(utf8(message)))),
    run: (bytes) => {
      const raw = ecdsaRawFromDer('P-384', bytes)
      return raw === undefined ? fail('DER_NOT_CANONICAL', 'signature') : ok(raw)
    },
  }),
  target('json', {
    format: JSON_TEXT,
    limitBytes: LIMITS.requestBytes,
    seeds: () => [json({ a: [1, -2.5, 1e21, true, null, 'b'], ['__proto__']: { c: {} } }), json([[], {}, 'x', 0])],
    run: textual((text) => {
      const parsed = parseJson(text, '')
      if (!parsed.ok) return parsed
      const canonical = canonicalJson(parsed.value)
      const again = parseJson(canonical, '')
      return again.ok && canonicalJson(again.value) === canonical
        ? parsed
        : impossible('its canonical form is another value')
    }),
  }),
  target('base64', {
    format: characters('A=/\n', '=', '==', 'A', '/', '+', '-', '_', '\n', ' '),
    limitBytes: EVIDENCE,
    seeds: () => [utf8(''), ...['Zg==', 'Zm8=', 'Zm9v', toBase64(genoa().report)].map(utf8)],
    run: textual((text) => {
      const decoded = fromBase64(text, 'base64')
      return decoded.ok && toBase64(decoded.value) !== text ? impossible('a second spelling') : decoded
    }),
  }),
  target('hex', {
    format: characters('0fFx', '0', 'f', 'F', 'x', '0x', ' '),
    limitBytes: EVIDENCE,
    seeds: () => [utf8('00'.repeat(32)), utf8('0123456789abcdef'.repeat(4))],
    run: textual((text) => {
      const decoded = fromHex(text, 32, 'hex')
      return decoded.ok && toHex(decoded.value) !== text ? impossible('a second spelling') : decoded
    }),
  }),
  target('utf8', {
    format: characters('a\u00e9', '\ufeff', '\u20ac', '\u{1f512}'),
    limitBytes: EVIDENCE,
    seeds: () => [utf8('a\u00e9\u20ac\u{1f512}'), utf8('plain')],
    run: (bytes) => {
      const decoded = fromUtf8(bytes, 'utf8')
      return decoded.ok && utf8(decoded.value).length !== bytes.length ? impossible('a second spelling') : decoded
    },
  }),
]

const sevSnp: readonly FuzzTarget[] = [
  target('snp-report', {
    format: RAW,
    limitBytes: EVIDENCE,
    seeds: () => [milan().report, genoa().report, turin().report],
    run: (bytes) => decodeSnpReport(bytes, 'report'),
  }),
  target('snp-certificate-table', {
    format: {
      ...RAW,
      tokens: [new Uint8Array(24), Uint8Array.of(0x18, 0, 0, 0), Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
    },
    limitBytes: EVIDENCE,
    seeds: () => [genoa().table, turin().table],
    run: (bytes) => decodeCertificateTable(bytes, 'auxblob'),
  }),
  target('snp-vek-extensions', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => [genoa().vek, milan().vek, turin().vek],
    run: (bytes) => after(decodeCertificate(bytes, 'vek'), vekExtensions),
  }),
]

const manifests = (): NonEmpty<Uint8Array> => [hopper().driverRim.bytes, hopper().vbiosRim.bytes]

const judgement = once(() => ({
  anchors: [anchorFromCertificate(createNvidiaTestPki(SEED).roots.rim, 'nvidia/rim-root')],
  now: Date.parse('2026-09-01T00:00:00Z') / 1000,
  crypto: nodeCrypto,
}))

const nvidia: readonly FuzzTarget[] = [
  target('spdm-gpu', {
    format: RAW,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty([...hopper().gpus, ...blackwell().gpus].map((gpu) => gpu.report)),
    run: (bytes) => decodeSpdm('gpu', bytes, 'report'),
  }),
  target('spdm-switch', {
    format: RAW,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty(hopper().switches.map((one) => one.report)),
    run: (bytes) => decodeSpdm('switch', bytes, 'report'),
  }),
  target('fwid-composite', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty(hopper().gpus.map((gpu) => gpu.chainDer[0])),
    run: (bytes) => after(decodeCertificate(bytes, 'ak'), (ak) => certifiedFwid(ak, 'compositeDeviceId', 'ak')),
  }),
  target('fwid-tcb-info', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty(blackwell().gpus.map((gpu) => gpu.chainDer[0])),
    run: (bytes) => after(decodeCertificate(bytes, 'ak'), (ak) => certifiedFwid(ak, 'diceTcbInfo', 'ak')),
  }),
  target('rim-xml', {
    format: XML,
    limitBytes: MANIFEST_CHARACTERS,
    seeds: manifests,
    run: (bytes) => decodeXml(bytes, MANIFEST_CHARACTERS, 'rim'),
  }),
  target('rim-identity', {
    format: XML,
    limitBytes: LIMITS.xmlBytes,
    seeds: manifests,
    run: (bytes) => rimIdentityOf({ value: bytes, sha256: 'fuzz' }),
  }),
  target('rim', {
    format: XML,
    limitBytes: LIMITS.xmlBytes,
    seeds: manifests,
    run: (bytes) => {
      const context = new Context({ ...judgement(), cache: createVerificationCache(16) })
      return authenticateRim(context, { value: bytes, sha256: 'fuzz', origin: 'evidence' }, 'rim')
    },
  }),
]

const documents = (): NonEmpty<Uint8Array> => [
  answer(tcbInfoOf('TDX')),
  answer(tcbInfoOf('SGX')),
  answer(qeIdentityOf('TDX')),
]

const intel: readonly FuzzTarget[] = [
  target('intel-answer', {
    format: JSON_TEXT,
    limitBytes: LIMITS.requestBytes,
    seeds: documents,
    run: (bytes) => {
      const split = splitAnswer(bytes, 'answer')
      const isWhole = !split.ok || parseJson(latin1(split.value.signed), '').ok
      return isWhole ? split : impossible('what is signed is no JSON by itself')
    },
  }),
  target('intel-tcb-info', {
    format: JSON_TEXT,
    limitBytes: EVIDENCE,
    seeds: () => [json(tcbInfoOf('TDX')), json(tcbInfoOf('SGX'))],
    run: (bytes) => decodeTcbInfo(bytes, 'TDX', 'tcbInfo'),
  }),
  target('intel-qe-identity', {
    format: JSON_TEXT,
    limitBytes: EVIDENCE,
    seeds: () => [json(qeIdentityOf('TDX')), json(qeIdentityOf('SGX'))],
    run: (bytes) => decodeQeIdentity(bytes, 'TDX', 'qeIdentity'),
  }),
  target('intel-file', {
    format: either(JSON_TEXT, PEM),
    limitBytes: LIMITS.requestBytes,
    seeds: () => [
      ...documents(),
      json(quoteCollateral()),
      text(toHex(pckCrl())),
      text(`HTTP/1.1 200 OK\r\nTCB-Info-Issuer-Chain: ${encodeURIComponent(chainPem())}\r\n`),
    ],
    run: (bytes) => {
      const file = readIntelFile(bytes, 'file')
      if (file === undefined) return fail('COLLATERAL_UNRECOGNISED', 'file')
      const [first, ...rest] = file.faults
      return first === undefined ? ok(file) : failed([first, ...rest])
    },
  }),
]

const signed: readonly FuzzTarget[] = [
  target('cbor', {
    format: CBOR,
    limitBytes: EVIDENCE,
    seeds: () => [nitro().document, ...cca().map(({ token }) => token)],
    run: (bytes) => decodeCbor(bytes, 'cbor', { keyOrder: 'deterministic', tags: [18, 399, 907] }),
  }),
  target('cbor-as-written', {
    format: CBOR,
    limitBytes: EVIDENCE,
    seeds: () => [sign1Of(nitro().document).payload],
    run: (bytes) => decodeCbor(bytes, 'cbor', AS_WRITTEN),
  }),
  target('cose-sign1', {
    format: CBOR,
    limitBytes: EVIDENCE,
    seeds: () => [nitro().document],
    run: (bytes) => decodeCoseSign1(bytes, 'sign1', { algorithms: ['ES384'], tag: 'optional' }),
  }),
  target('nitro-document', {
    format: CBOR,
    limitBytes: EVIDENCE,
    seeds: () => [nitro().document],
    run: (bytes) => decodeNitroDocument(bytes, 'document'),
  }),
  target('cca-token', {
    format: CBOR,
    limitBytes: EVIDENCE,
    seeds: () => nonEmpty(cca().map(({ token }) => token)),
    run: (bytes) => decodeCcaToken(bytes, 'token'),
  }),
]

const tpms: readonly FuzzTarget[] = [
  target('tpm-quote', {
    format: JSON_TEXT,
    limitBytes: EVIDENCE,
    seeds: () => [json({ ...tpm().quote })],
    run: (bytes) => decodeTpmQuote(bytes, 'quote'),
  }),
  target('tpm-attest', {
    format: RAW,
    limitBytes: 4096,
    seeds: () => [tpm().attest],
    run: (bytes) => decodeAttest(bytes, 'attest'),
  }),
  target('tpm-signature', {
    format: RAW,
    limitBytes: 4096,
    seeds: () => [tpm().signature],
    run: (bytes) => decodeSignature(bytes, 'signature'),
  }),
  target('tpm-public-area', {
    format: RAW,
    limitBytes: 4096,
    seeds: () => [tpm().akPublic, tpmQuote(SEED, { key: 'ecdsa-p384' }).akPublic],
    run: (bytes) => decodePublicArea(bytes, 'public'),
  }),
  target('tpm-pcr-file', {
    format: RAW,
    limitBytes: 8192,
    seeds: () => [pcrFile()],
    run: (bytes) => decodePcrFile(bytes, 'pcrs'),
  }),
  target('tpm-credential-file', {
    format: RAW,
    limitBytes: 4096,
    seeds: () => [Uint8Array.of(0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1, 0, 2, 9, 9, 0, 1, 7)],
    run: (bytes) => decodeCredentialFile(bytes, 'credential'),
  }),
  target('tpm-event-log', {
    format: RAW,
    limitBytes: EVIDENCE,
    pace: 'judgement',
    seeds: () => [tpm().eventLog],
    run: (bytes) => judgeTpmEventLog(bytes, quotedPcrs(), nodeCrypto.digest, 'log'),
  }),
  target('azure-hcl', {
    format: RAW,
    limitBytes: 4096,
    seeds: () => [hclReport(genoa().report)],
    run: (bytes) => decodeHclReport(bytes, 'hcl'),
  }),
  target('azure-runtime-data', {
    format: JSON_TEXT,
    limitBytes: 4096,
    seeds: () => [utf8(defaultRuntimeData())],
    run: (bytes) => decodeRuntimeData(bytes, 'runtime'),
  }),
]

/** A file of `tpm2_quote -o` that shows PCR 0 of the SHA-256 bank. */
function pcrFile(): Uint8Array {
  const file = new Uint8Array(4 + 16 * 8 + 4 + 4 + 8 * 66)
  file.set([1, 0, 0, 0, 0x0b, 0, 3, 1])
  file.set([1, 0, 0, 0, 1, 0, 0, 0, 32, 0], 132)
  return file
}

const quotedPcrs = once(
  () =>
    new Map([
      [
        'sha256' as const,
        new Map(
          Object.entries(tpm().shown.sha256 ?? {}).map(([pcr, value]) => [
            Number(pcr),
            Uint8Array.from(Buffer.from(value, 'hex')),
          ]),
        ),
      ],
    ]),
)

function sign1Of(document: Uint8Array): CoseSign1 {
  const decoded = decodeNitroDocument(document, 'document')
  return decoded.ok ? decoded.value.value.sign1 : impossible('a seed that is refused')
}

const CHALLENGE = json({
  v: 1,
  id: 'c-1',
  purpose: 'lease',
  provider: 'provider-1',
  lease: 'lease-1',
  policyDigest: `sha256:${'ab'.repeat(32)}`,
  verifierKeyId: 'key-1',
  teeKey: toBase64(new Uint8Array(91)),
  iat: 1_790_000_000,
  exp: 1_790_000_120,
  rand: toBase64(new Uint8Array(32)),
  nonce: toBase64(new Uint8Array(64)),
})

const carriers: readonly FuzzTarget[] = [
  target('envelope', {
    format: either(JSON_TEXT, RAW),
    limitBytes: LIMITS.requestBytes,
    seeds: envelopes,
    run: (bytes) => readEvidence([{ name: 'evidence', bytes }]),
  }),
  target('evidence-folder', {
    format: either(JSON_TEXT, PEM),
    limitBytes: LIMITS.requestBytes,
    seeds: envelopes,
    run: (bytes) =>
      readEvidence([
        { name: 'a.bin', bytes },
        { name: 'b.bin', bytes: genoa().report },
        { name: 'b.pem', bytes: utf8(genoa().chainPem) },
      ]),
  }),
  target('challenge', {
    format: JSON_TEXT,
    limitBytes: LIMITS.requestBytes,
    seeds: () => [CHALLENGE],
    run: textual((text) => after(parseJson(text, ''), decodeChallenge)),
  }),
]

/** Whatever is accepted under these registers says the same of the machine as the log that they came from. */
const judgedAgainst =
  (made: () => TestEventLog, dstackVersion: DstackLogVersion = 1) =>
  async (bytes: Uint8Array): Promise<Outcome<unknown>> => {
    const { log, rtmrs } = made()
    const context = new Context({ ...judgement(), cache: createVerificationCache(1) })
    const judge = (of: Uint8Array) =>
      judgeEventLog(of, rtmrs, (hash, input) => context.digest(hash, input), {
        path: 'log',
        dstackVersion,
        mrConfigId: new Uint8Array(48),
      })
    const [mutant, original] = [await judge(bytes), await judge(log)]
    if (!mutant.ok || !original.ok) return mutant
    // No digest covers the type of a CCEL record: under another type, a variable is not told.
    const isUntold = mutant.value.form === 'ccel' && mutant.value.claims.secureBoot === undefined
    return isUntold || JSON.stringify(mutant.value.claims) === JSON.stringify(original.value.claims)
      ? mutant
      : impossible('another log with the same registers says something else')
  }

const eventLogs: readonly FuzzTarget[] = [
  target('ccel', {
    format: {
      ...RAW,
      tokens: [
        [0xff, 0xff, 0xff, 0xff],
        [4, 0, 0, 0],
        [1, 0, 0, 0],
        [0x0c, 0],
        [0x0b, 0],
      ].map((t) => Uint8Array.from(t)),
    },
    limitBytes: LIMITS.eventLogBytes,
    seeds: logAreas,
    run: judgedAgainst(once(() => ccelLog())),
  }),
  target('dstack-log-1', {
    format: { ...JSON_TEXT, tokens: [...JSON_TEXT.tokens, ...['"digest":""', '"imr":3', '"system-ready"'].map(utf8)] },
    limitBytes: EVIDENCE,
    seeds: () => [dstackLog().log, dstackLog({ digests: 'stripped' }).log],
    run: judgedAgainst(once(() => dstackLog())),
  }),
  target('dstack-log-2', {
    format: { ...JSON_TEXT, tokens: [...JSON_TEXT.tokens, ...['"digest":""', '"imr":3', '"compose-hash"'].map(utf8)] },
    limitBytes: EVIDENCE,
    seeds: () => [dstackLog({ version: 2 }).log, dstackLog({ version: 2, digests: 'stripped' }).log],
    run: judgedAgainst(
      once(() => dstackLog({ version: 2 })),
      2,
    ),
  }),
  target('ccel-table', {
    format: RAW,
    limitBytes: 56,
    seeds: () => [ccelTable(65536)],
    run: (bytes) => decodeCcelTable(bytes, 'table'),
  }),
  target('event-log-folder', {
    format: either(JSON_TEXT, RAW),
    limitBytes: LIMITS.eventLogBytes,
    seeds: () => [...logAreas(), dstackLog().log],
    run: (bytes) =>
      readEvidence([
        { name: 'quote.bin', bytes: quoteShape() },
        { name: 'log', bytes },
        { name: 'table', bytes: ccelTable(LIMITS.eventLogBytes) },
      ]),
  }),
]

const text = (seed: string): Uint8Array => utf8(seed)

const written: readonly FuzzTarget[] = [
  target('policy', {
    format: {
      ...JSON_TEXT,
      tokens: [...JSON_TEXT.tokens, ...['"any"', '"require":{', '"extends":"h100-confidential"', '550.90'].map(text)],
    },
    limitBytes: LIMITS.policyBytes,
    seeds: () => [
      json(PRESET_DOCUMENTS['cpu-confidential']),
      json(PRESET_DOCUMENTS['h100-confidential']),
      json({ version: 1, name: 'x', extends: 'h100-confidential', require: { gpu: { count: 8 } } }),
    ],
    run: (bytes) => {
      const policy = parsePolicy(bytes)
      return policy.ok && !parsePolicy(canonicalPolicy(policy.value)).ok
        ? impossible('its canonical form is refused')
        : policy
    },
  }),
  target('reference-value', {
    format: characters('A.-_', '.', 'eyJ', '=', '-', '_'),
    limitBytes: EVIDENCE,
    seeds: () => [referenceValue()],
    run: textual((jws) => authenticateReferenceValue(jws, [signerKey()], createVerificationCache(), 'reference')),
  }),
  target('credential-claims', {
    format: JSON_TEXT,
    limitBytes: EVIDENCE,
    seeds: () => [CREDENTIAL_CLAIMS],
    run: (bytes) => decodeClaims(bytes, 'credential'),
  }),
  target('credential', {
    format: characters('A.-_', '.', 'eyJ', '=', '-', '_'),
    limitBytes: EVIDENCE,
    seeds: () => [signedBy(CREDENTIAL_CLAIMS, 'eat+jwt')],
    run: textual(async (jwt) => {
      const checked = await checkCredential(jwt, RELYING_PARTY)
      if (checked.ok) impossible('a credential passed without proof of its holder')
      const proved = !checked.ok && checked.faults[0].code === 'RESULT_HOLDER_NOT_PROVED'
      return proved ? ok(null) : checked
    }),
  }),
  target('holder-proof', {
    format: characters('A.-_', '.', 'eyJ', '=', '-', '_'),
    limitBytes: EVIDENCE,
    seeds: () => [signedBy(utf8(holderStatementText(STATEMENT)), HOLDER_PROOF_TYPE, { jwk: publicJwk(signerKey()) })],
    run: textual(async (jws) => {
      const jkt = await calculateJwkThumbprint({ ...signerKey() })
      return checkHolder({ kind: 'jws', jws }, jkt, 'akash1provider', STATEMENT)
    }),
  }),
  target('sdl', {
    format: YAML,
    limitBytes: 64 * 1024,
    pace: 'judgement',
    seeds: () => [text(order()), text(order({ service: '    env: [&x "A=b", *x]' }))],
    run: textual(async (sdl) => {
      const { findings } = await lintSdl(sdl)
      const [first, ...rest] = findings.filter((f) => f.code === 'SDL_UNREADABLE')
      return first === undefined ? ok(null) : failed([first, ...rest])
    }),
  }),
  target('collateral', {
    format: either(either(DER, PEM), XML),
    limitBytes: EVIDENCE,
    seeds: () => [
      genoa().crl,
      genoa().vek,
      utf8(genoa().chainPem),
      ...hopper().ocspResponses.map((answer) => answer.der),
      hopper().vbiosRim.bytes,
    ],
    run: async (bytes) => {
      const [first, ...rest] = (await prepareCollateral([{ name: 'file', bytes }])).faults
      return first === undefined ? ok(null) : failed([first, ...rest])
    },
  }),
]

const signer = once(() => ecKey('P-256', SEED))

function signerKey(): SignerKey {
  const point = signer().publicPoint ?? impossible('an elliptic-curve key has a point')
  return {
    kid: 'fuzz',
    kty: 'EC',
    crv: 'P-256',
    x: toBase64url(point.subarray(1, 33)),
    y: toBase64url(point.subarray(33)),
  }
}

function referenceValue(): Uint8Array {
  const payload = {
    version: 1,
    name: 'guest',
    kind: 'amd/snp-report',
    measurements: ['ab'.repeat(48)],
    guarantees: ['closed-quoting'],
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2027-01-01T00:00:00Z',
  }
  return signedBy(json(payload), REFERENCE_VALUE_TYPE)
}

function signedBy(payload: Uint8Array, typ: string, named: object = { kid: 'fuzz' }): Uint8Array {
  const signed = [json({ alg: 'ES256', ...named, typ }), payload].map(toBase64url).join('.')
  return utf8(`${signed}.${toBase64url(signer().signRaw(utf8(signed)))}`)
}

const DIGEST = `sha256:${'ab'.repeat(32)}`
const LEASE = 'akash1owner/1/1/1/akash1provider/0'

const CREDENTIAL_CLAIMS = json({
  eat_profile: 'tag:github.com,2023:veraison/ear',
  ...{ iss: 'https://verifier.example', sub: 'akash1provider', aud: ['console'], jti: 'jti-1' },
  ...{ iat: 1_790_000_000, nbf: 1_790_000_000, exp: 1_790_001_800, eat_nonce: toBase64(new Uint8Array(64)) },
  'ear.verifier-id': { developer: 'vouchsafe', build: '0.1.0' },
  submods: {
    cpu: {
      'ear.status': 'affirming',
      'ear.trustworthiness-vector': { hardware: 2, executables: 3 },
      'ear.appraisal-policy-id': `urn:${DIGEST}`,
    },
  },
  vouchsafe: {
    ...{ level: 3, purpose: 'lease', lease: LEASE, order: 'akash1owner/1/1/1' },
    ...{ hw: [{ kind: 'amd-chip', id: 'ab'.repeat(32) }], policy: DIGEST, evidence: DIGEST, risks: [] },
    ...{ gpu: { count: 1, binding: 'shared-nonce' }, physical: 'unknown' },
  },
  cnf: { jkt: 'A'.repeat(43) },
})

const STATEMENT = { jti: 'jti-1', aud: 'console', iat: 1_790_000_000, nonce: 'nonce-of-the-relying-party' }

const RELYING_PARTY: CredentialExpectation = {
  keys: { keys: [signerKey() as CredentialKey] },
  ...{ issuer: 'https://verifier.example', audience: 'console', purpose: 'lease', subject: 'akash1provider' },
  ...{ order: null, lease: LEASE, policyDigest: DIGEST, holder: null, revoked: () => false, now: 1_790_000_000 },
}

/** Shared by judgements that must not differ from those with a cache of their own. */
const warm = once(() => createVerificationCache(64))

const machine = target('machine', {
  format: either(JSON_TEXT, RAW),
  limitBytes: LIMITS.requestBytes,
  seeds: envelopes,
  pace: 'judgement',
  run: async (bytes) => {
    const judge = async (cache: VerificationCache): Promise<string> => {
      const decision = await verify(bytes, {
        now: judgement().now,
        policy: presetPolicy('h100-confidential'),
        freshness: { kind: 'nonce', nonce: new Uint8Array(64) },
        collateral: NO_COLLATERAL,
        lease: null,
        physical: 'unknown',
        referenceValues: [],
        injectedAnchors: [],
        cache,
      })
      if (decision.verdict === 'accept') impossible('accepted without a trusted anchor')
      return JSON.stringify(decision)
    }
    return (await judge(createVerificationCache(1))) === (await judge(warm()))
      ? ok(null)
      : impossible('the cache changed a decision')
  },
})

/** Every decoder of bytes that strangers send, and a judgement as a whole. */
/** Types and lengths of certification data, TEE type, and a signature of zeros. */
const QUOTE: Format = {
  ...RAW,
  tokens: [
    ...[1, 2, 3, 4, 5, 6, 7].map((type) => Uint8Array.of(type, 0)),
    Uint8Array.of(0x94, 0x01, 0, 0),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0x81, 0, 0, 0),
    new Uint8Array(64),
  ],
}

const intelQuotes: readonly FuzzTarget[] = [
  target('tdx-quote', {
    format: QUOTE,
    limitBytes: EVIDENCE,
    seeds: tdxQuotes,
    run: (bytes) => decodeTdxQuote(bytes, 'quote'),
  }),
  target('sgx-quote', {
    format: QUOTE,
    limitBytes: EVIDENCE,
    seeds: sgxQuotes,
    run: (bytes) => decodeSgxQuote(bytes, 'quote'),
  }),
  target('pck-extension', {
    format: DER,
    limitBytes: EVIDENCE,
    seeds: () => [pckCertificate()],
    run: (bytes) => after(decodeCertificate(bytes, 'pck'), (certificate) => pckExtension(certificate, 'TDX')),
  }),
  target('quote-proof', {
    format: either(QUOTE, PEM),
    limitBytes: EVIDENCE,
    seeds: tdxQuotes,
    pace: 'judgement',
    run: async (bytes) => {
      const { claims, faults } = await judge(bytes)
      const [first, ...more] = faults
      if (claims !== undefined) return ok(claims)
      return first === undefined ? impossible('neither claims nor faults') : failed([first, ...more])
    },
  }),
]

export const TARGETS: readonly FuzzTarget[] = [
  ...core,
  ...sevSnp,
  ...intelQuotes,
  ...intel,
  ...nvidia,
  ...signed,
  ...tpms,
  ...carriers,
  ...eventLogs,
  ...written,
  machine,
]
