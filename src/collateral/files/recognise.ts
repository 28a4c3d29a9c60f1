import type { CollateralFile, CollateralSet, IntelDocument } from '../../attestation/collateral.ts'
import { rimIdentityOf } from '../../attestation/nvidia/rim/index.ts'
import { latin1, utf8 } from '../../core/bytes.ts'
import { fromBase64, fromUtf8, toHex } from '../../core/encodings.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { attempt, type Fault, fault, take } from '../../core/outcome.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, sameName } from '../../core/x509/names.ts'
import { sortedWithFaults } from '../cache/answer.ts'
import { factsOf, type ObjectFacts } from '../cache/facts.ts'
import { answersIn, type CollateralPack, decodePack, looksLikePack, type PackedAnswer } from '../pack/pack.ts'
import { pemOf } from './pem.ts'

/** What a folder of files came to. */
export interface Recognised {
  /** by the key of the request that each answers */
  readonly answers: readonly PackedAnswer[]
  /** files that cannot be read, or do not say what they are about */
  readonly faults: readonly Fault[]
}

/** One file, taken apart. */
interface Read {
  readonly name: string
  readonly set: CollateralSet
}

/**
 * Finds out what collateral files are, by their content: the stores of other tools (certificates of chips, authorities, lists),
 * answers of Intel's and NVIDIA's services, the collateral of a quote, manifests, packs. Names tell only what content does
 * not: of a manifest for a VBIOS its board, of AMD's lists whether it is the one for VLEK.
 */
export async function recognise(files: readonly CollateralFile[]): Promise<Recognised> {
  const faults: Fault[] = []
  const packed: PackedAnswer[] = []
  const loose: CollateralFile[] = []
  for (const file of files) {
    const pack = looksLikePack(file.bytes) ? decodePack(file.bytes, file.name) : undefined
    if (pack === undefined) loose.push(file)
    else if (!pack.ok) faults.push(...pack.faults)
    else
      for (const answer of answersIn(pack.value.pack)) {
        if (answer.key !== undefined) packed.push(answer)
        else loose.push(...answer.files)
      }
  }
  const named = await recogniseLoose(loose)
  return { answers: [...packed, ...named.answers], faults: [...faults, ...named.faults] }
}

/** `recognise` for a pack, which may hold files that a person gave to a judgement by hand. */
export async function recognisePack(pack: CollateralPack): Promise<Recognised> {
  const all = answersIn(pack)
  const named = await recogniseLoose(all.flatMap(({ key, files }) => (key === undefined ? files : [])))
  return { answers: [...all.filter(({ key }) => key !== undefined), ...named.answers], faults: named.faults }
}

async function recogniseLoose(files: readonly CollateralFile[]): Promise<Recognised> {
  const faults: Fault[] = []
  const reads = await readsOf(
    files.map((file) => manifestIn(file) ?? file),
    faults,
  )
  const certificates = reads.flatMap(({ set }) => set.certificates.map(({ value }) => value))
  const manifests = reads.flatMap(rims)
  const unnamed = manifests.filter(({ key }) => key === undefined)
  const expected = 'the id of the manifest as the name of its file'
  return {
    answers: [
      ...authorities(certificates),
      ...reads.flatMap((read) => [
        ...chips(read),
        ...lists(read, certificates),
        ...ocspAnswers(read),
        ...documents(read, certificates),
      ]),
      ...manifests.filter(({ key }) => key !== undefined),
    ],
    faults: [...faults, ...unnamed.map((m) => fault('COLLATERAL_UNRECOGNISED', m.files[0]?.name ?? '', { expected }))],
  }
}

async function readsOf(files: readonly CollateralFile[], faults: Fault[]): Promise<readonly Read[]> {
  const reads: Read[] = []
  for (const file of files) {
    const { collateral, faults: found } = await sortedWithFaults([file])
    faults.push(...found)
    reads.push({ name: file.name, set: collateral })
  }
  return reads
}

/** An answer of NVIDIA's manifest service, as a file that its id names. */
function manifestIn({ name, bytes }: CollateralFile): CollateralFile | undefined {
  if (!/^\s*\{/.test(latin1(bytes.subarray(0, 64)))) return undefined
  const answer = attempt(() => {
    const value = take(parseJson(take(fromUtf8(bytes, name)), name))
    if (!isJsonObject(value) || typeof value.id !== 'string' || typeof value.rim !== 'string') return undefined
    return { name: `${value.id}.xml`, bytes: take(fromBase64(value.rim.replace(/[\r\n]/g, ''), name)) }
  })
  return answer.ok ? answer.value : undefined
}

const factsIn = (set: Partial<CollateralSet>): readonly ObjectFacts[] =>
  factsOf({ certificates: [], crls: [], ocspResponses: [], rims: [], intelDocuments: [], platformKeys: [], ...set })

const chips = ({ set, name }: Read): readonly PackedAnswer[] =>
  set.certificates.flatMap((held) =>
    factsIn({ certificates: [held] })
      .flatMap((f) => f.keys)
      .filter((key) => key.startsWith('amd-vcek/'))
      .map((key) => ({ key, files: [{ name, bytes: held.value.der }] })),
  )

/** ASK or ASVK, and the ARK above it, as AMD's service hands them out. */
function authorities(certificates: readonly Certificate[]): readonly PackedAnswer[] {
  const chains = new Map<string, PackedAnswer>()
  for (const certificate of certificates) {
    const [, kind, product] = /^SEV-(VLEK-)?(Milan|Genoa|Turin)$/.exec(commonName(certificate.subject) ?? '') ?? []
    if (product === undefined) continue
    const ark = certificates.find((c) => sameName(c.subject, certificate.issuer))
    const key = `amd-chain/${product}/${kind === undefined ? 'vcek' : 'vlek'}`
    chains.set(key, { key, files: [chainFile(key, [certificate, ...(ark === undefined ? [] : [ark])])] })
  }
  return [...chains.values()]
}

const chainFile = (key: string, certificates: readonly Certificate[]): CollateralFile => ({
  name: `${key} chain`,
  bytes: utf8(pemOf(certificates.map((c) => c.der))),
})

function lists({ set, name }: Read, certificates: readonly Certificate[]): readonly PackedAnswer[] {
  return set.crls.flatMap((held) => {
    const keys = factsIn({ crls: [held] }).flatMap((f) => f.keys)
    const key = keys.find((k) => k.endsWith(/vlek/i.test(name) ? '/vlek' : '/vcek')) ?? keys[0]
    if (key === undefined) return []
    const issuers = key.startsWith('intel-pck-crl/') ? pathFrom(held.value.issuer, certificates) : []
    const chain = issuers.length === 0 ? [] : [chainFile(key, issuers)]
    return [{ key, files: [{ name, bytes: held.value.der }, ...chain] }]
  })
}

/** Of several names of one answer each is a key: a responder may answer about a whole chain at once. */
const ocspAnswers = ({ set, name }: Read): readonly PackedAnswer[] =>
  set.ocspResponses.flatMap((held) =>
    factsIn({ ocspResponses: [held] })
      .flatMap((f) => f.keys)
      .map((key) => ({ key, files: [{ name, bytes: held.value.der }] })),
  )

/** Documents of Intel's in the form in which its service answers, with the chain of their signer. */
function documents({ set, name }: Read, certificates: readonly Certificate[]): readonly PackedAnswer[] {
  const signer = certificates.find((c) => commonName(c.subject) === 'Intel SGX TCB Signing')
  return set.intelDocuments.flatMap((held) => {
    const own = set.certificates.map((c) => c.value).filter((c) => isIn(held.value, c))
    const above = own.length > 0 ? own : signer === undefined ? [] : [signer, ...pathFrom(signer.issuer, certificates)]
    return factsIn({ intelDocuments: [held] })
      .flatMap((f) => f.keys)
      .filter((key) => key.endsWith('/standard'))
      .map((key) => ({
        key,
        files: [{ name, bytes: answerOf(held.value) }, ...(above.length === 0 ? [] : [chainFile(key, above)])],
      }))
  })
}

const isIn = ({ issuerChain }: IntelDocument, { der }: Certificate): boolean =>
  issuerChain?.some((one) => Buffer.compare(one, der) === 0) === true

/** The body in which Intel's service sends a document: the signed bytes as they are. */
export function answerOf({ kind, signed, signature }: IntelDocument): Uint8Array {
  const member = kind === 'tcb-info' ? 'tcbInfo' : 'enclaveIdentity'
  return new Uint8Array(Buffer.concat([utf8(`{"${member}":`), signed, utf8(`,"signature":"${toHex(signature)}"}`)]))
}

/** The certificate under a name and the one above it, where they are there. */
function pathFrom(name: Certificate['subject'], certificates: readonly Certificate[]): readonly Certificate[] {
  const issuer = certificates.find((c) => sameName(c.subject, name))
  if (issuer === undefined) return []
  const isRoot = sameName(issuer.subject, issuer.issuer)
  return [issuer, ...(isRoot ? [] : pathFrom(issuer.issuer, certificates).slice(0, 1))]
}

const RIM_FILE = /(?:^|[\\/])(?:NV_GPU_VBIOS_)?((?:[0-9A-Za-z]{1,16}_){3}[0-9A-Fa-f]{10})(?:_PROD)?\.(?:xml|swidtag)$/i

function rims({ set, name }: Read): readonly PackedAnswer[] {
  return set.rims.flatMap((held) => {
    const [key] = factsIn({ rims: [held] }).flatMap((f) => f.keys)
    const board = RIM_FILE.exec(name)?.[1]
    const named = board === undefined ? undefined : `nvidia-rim/NV_GPU_VBIOS_${board.toUpperCase()}`
    return [{ key: rimIdentityOf(held).ok ? (key ?? named) : undefined, files: [{ name, bytes: held.value }] }]
  })
}
