import { createHash } from 'node:crypto'
import { vekExtensions } from '../../src/attestation/sev-snp/vek-extensions.ts'
import { equalBytes, utf8 } from '../../src/core/bytes.ts'
import { decodeDer } from '../../src/core/der.ts'
import { toBase64, toHex } from '../../src/core/encodings.ts'
import { take } from '../../src/core/outcome.ts'
import type { AmdProduct } from '../../src/core/trust-anchors.ts'
import { decodeCertificate } from '../../src/core/x509/certificate.ts'
import { type IntelCollateral, type NvidiaMachine, pcsAnswers, pem } from '../../src/testing/index.ts'

/** One answer of a service. */
export interface Served {
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

type Responder = (question: Uint8Array) => Served | undefined

/** What the services have, by host, path and query. */
export class VendorObjects {
  readonly #served = new Map<string, Served>()
  readonly #responders = new Map<string, Responder>()

  add(address: string, served: Served): this {
    this.#served.set(address, served)
    return this
  }

  respond(address: string, responder: Responder): this {
    this.#responders.set(address, responder)
    return this
  }

  find(address: string, question: Uint8Array): Served | undefined {
    return this.#served.get(address) ?? this.#responders.get(address)?.(question)
  }

  /** What AMD's key service has of one product. */
  amd(product: AmdProduct, of: { chain: Uint8Array; crl: Uint8Array; key?: 'vcek' | 'vlek' }): this {
    const base = `kdsintf.amd.com/${of.key ?? 'vcek'}/v1/${product}`
    this.add(`${base}/cert_chain`, { contentType: 'application/x-pem-file', body: of.chain })
    return this.add(`${base}/crl`, { contentType: 'application/pkix-crl', body: of.crl })
  }

  /** A VCEK, under the address that its own extensions give. */
  vcek(certificate: Uint8Array): this {
    const { product, hwId, tcb } = take(vekExtensions(take(decodeCertificate(certificate, 'vcek'))))
    const two = (level: number) => (level < 10 ? `0${level}` : `${level}`)
    const { fmc, bootloader, tee, snp, microcode } = tcb
    const rest = `blSPL=${two(bootloader)}&teeSPL=${two(tee)}&snpSPL=${two(snp)}&ucodeSPL=${two(microcode)}`
    const query = fmc === undefined ? rest : `fmcSPL=${two(fmc)}&${rest}`
    const address = `kdsintf.amd.com/vcek/v1/${product}/${toHex(hwId ?? new Uint8Array())}?${query}`
    return this.add(address, { contentType: 'application/pkix-cert', body: certificate })
  }

  /** What Intel's services have of one platform, and the same at a PCCS. */
  intel(of: IntelCollateral): this {
    for (const { url, contentType, headers, body } of pcsAnswers({ ...of, fmspc: of.fmspc.toLowerCase() })) {
      this.add(url.slice('https://'.length), { contentType, headers, body })
    }
    return this
  }

  /** A PCCS hands out the root's list in hexadecimal, as its framework sends texts. */
  pccs(host: string, of: IntelCollateral): this {
    for (const { url, contentType, headers, body } of pcsAnswers({ ...of, fmspc: of.fmspc.toLowerCase() })) {
      const { pathname, search } = new URL(url)
      if (pathname !== '/IntelSGXRootCA.der') this.add(`${host}${pathname}${search}`, { contentType, headers, body })
    }
    const contentType = 'text/html; charset=utf-8'
    return this.add(`${host}/sgx/certification/v4/rootcacrl`, { contentType, body: utf8(toHex(of.rootCaCrl)) })
  }

  rim(id: string, xml: Uint8Array): this {
    const answer = {
      id,
      rim: toBase64(xml),
      sha256: createHash('sha256').update(xml).digest('hex'),
      rim_format: 'TCG',
      request_id: 'test',
    }
    return this.add(`rim.attestation.nvidia.com/v1/rim/${id}`, {
      contentType: 'application/json',
      body: utf8(JSON.stringify(answer)),
    })
  }

  /** The manifests of a machine of the kit, and an OCSP responder for its certificates at that time. */
  nvidia(machine: NvidiaMachine, at: string): this {
    for (const rim of [machine.driverRim, machine.vbiosRim, machine.switchRim]) if (rim) this.rim(rim.id, rim.bytes)
    return this.respond('ocsp.ndis.nvidia.com/', responderOf(machine, at))
  }
}

/** How an answer differs from the right one. */
type OcspChange = Partial<Omit<Parameters<NvidiaMachine['pki']['ocsp']>[0], 'certificate'>>

/** Reads a request with a reader of its own: CertID, and the nonce, which must be critical and of 32 bytes. */
function questionIn(bytes: Uint8Array) {
  const request = take(decodeDer(bytes, 'request'))
  const [tbs] = request.children
  const [list, extensions] = tbs?.children ?? []
  const certId = list?.children[0]?.children[0]
  const [, nameHash, keyHash, serial] = certId?.children ?? []
  const [, critical, value] = extensions?.children[0]?.children[0]?.children ?? []
  const nonce = value === undefined ? undefined : take(decodeDer(value.content, 'nonce')).content
  if (critical?.content[0] !== 0xff || nonce?.length !== 32) return undefined
  if (nameHash?.content.length !== 48 || keyHash?.content.length !== 48 || serial === undefined) return undefined
  return { serial: serial.content, nonce, nameHash: nameHash.content }
}

/** Answers about every certificate of a machine of the kit. */
export function responderOf(
  { pki, gpus, switches, driverRim, vbiosRim, switchRim }: NvidiaMachine,
  at: string,
  change: OcspChange = {},
): Responder {
  const devices = [...gpus, ...switches].flatMap(({ device }) => Object.values(device.certificates))
  const signers = [driverRim, vbiosRim, switchRim].flatMap((rim) =>
    rim === undefined ? [] : Object.values(rim.chain.certificates),
  )
  const known = [...devices, ...signers]
  return (bytes) => {
    const question = questionIn(bytes)
    if (question === undefined) return undefined
    const certificate = known.find((c) => {
      const issuer = c.issuer?.subject
      if (issuer === undefined) return false
      const nameHash = new Uint8Array(createHash('sha384').update(issuer).digest())
      return equalBytes(withoutSign(question.serial), c.serial) && equalBytes(question.nameHash, nameHash)
    })
    if (certificate === undefined) return undefined
    const body = pki.ocsp({ certificate, at, nonce: question.nonce, ...change })
    return { contentType: 'application/ocsp-response', body }
  }
}

const withoutSign = (serial: Uint8Array): Uint8Array => (serial[0] === 0 ? serial.subarray(1) : serial)

export const pemOf = (...certificates: readonly Uint8Array[]): Uint8Array => utf8(pem(certificates))
