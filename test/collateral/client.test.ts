import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  type CollateralRequest,
  createVendorClient,
  type HttpQuestion,
  networkExchange,
  objectName,
  VENDOR_SERVICES,
  type VendorClientOptions,
} from '../../src/collateral/index.ts'
import { gpus } from '../reject/stage.ts'

const CRL: CollateralRequest = { kind: 'amd-crl', product: 'Genoa', key: 'vcek' }
const ROOT_LIST: CollateralRequest = { kind: 'intel-root-crl' }
const RIM: CollateralRequest = { kind: 'nvidia-rim', id: 'NV_GPU_DRIVER_GH100_550.144.03' }
const VCEK: CollateralRequest = {
  kind: 'amd-vcek',
  product: 'Genoa',
  hwid: 'ab'.repeat(64),
  tcb: { fmc: 0, bootloader: 3, tee: 0, snp: 14, microcode: 209 },
}
const [, CERTIFICATE = new Uint8Array(), ISSUER = new Uint8Array()] = gpus().gpus[0]?.chainDer ?? []
const OCSP: CollateralRequest = { kind: 'nvidia-ocsp', certificate: CERTIFICATE, issuer: ISSUER }

/** What a client would send, and to whom. */
async function questionOf(request: CollateralRequest, options: VendorClientOptions = {}): Promise<HttpQuestion> {
  const questions: HttpQuestion[] = []
  const fetchObject = createVendorClient({
    ...options,
    exchange: async (question) => {
      questions.push(question)
      return { kind: 'failed', failure: 'tls', detail: 'not sent' }
    },
  })
  await fetchObject(request)
  const [question] = questions
  if (question === undefined) throw new TypeError('nothing was asked')
  return question
}
const urlOf = async (request: CollateralRequest, options: VendorClientOptions = {}) =>
  (await questionOf(request, options)).url

describe('addresses', () => {
  it.each([
    [`https://kdsintf.amd.com/vcek/v1/Genoa/${'ab'.repeat(64)}?blSPL=03&teeSPL=00&snpSPL=14&ucodeSPL=209`, VCEK],
    ['https://kdsintf.amd.com/vlek/v1/Turin/cert_chain', { kind: 'amd-chain', product: 'Turin', key: 'vlek' }],
    ['https://kdsintf.amd.com/vcek/v1/Genoa/crl', CRL],
    [
      'https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=b0c06f000000',
      { kind: 'intel-tcb-info', tee: 'tdx', fmspc: 'b0c06f000000', update: 'standard' },
    ],
    [
      'https://api.trustedservices.intel.com/sgx/certification/v4/tcb?fmspc=b0c06f000000&update=early',
      { kind: 'intel-tcb-info', tee: 'sgx', fmspc: 'b0c06f000000', update: 'early' },
    ],
    [
      'https://api.trustedservices.intel.com/sgx/certification/v4/qe/identity?update=early',
      { kind: 'intel-qe-identity', tee: 'sgx', update: 'early' },
    ],
    [
      'https://api.trustedservices.intel.com/tdx/certification/v4/tcbevaluationdatanumbers',
      { kind: 'intel-evaluation-numbers', tee: 'tdx' },
    ],
    [
      'https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      { kind: 'intel-pck-crl', ca: 'platform' },
    ],
    ['https://certificates.trustedservices.intel.com/IntelSGXRootCA.der', ROOT_LIST],
    ['https://rim.attestation.nvidia.com/v1/rim/NV_GPU_DRIVER_GH100_550.144.03', RIM],
    ['https://ocsp.ndis.nvidia.com/', OCSP],
    ['https://sharedeus2.eus2.attest.azure.net/certs', { kind: 'jwks', issuer: 'azure-maa' }],
    ['https://portal.trustauthority.intel.com/certs', { kind: 'jwks', issuer: 'intel-ita' }],
    [
      'https://www.googleapis.com/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com',
      { kind: 'jwks', issuer: 'google-confidential-space' },
    ],
    ['https://nras.attestation.nvidia.com/.well-known/jwks.json', { kind: 'jwks', issuer: 'nvidia-nras' }],
  ] as const)('%s', async (url, request) => {
    expect(await urlOf(request as CollateralRequest)).toBe(url)
    expect(objectName(request as CollateralRequest)).toMatch(/^[a-z-]+(\/[\x21-\x7e]+)?$/)
  })

  it('are the operator’s where he names them: a mirror, a PCCS', async () => {
    const services = { 'amd-kds': 'https://mirror.example/amd/' }
    expect(await urlOf(CRL, { services })).toBe('https://mirror.example/amd/vcek/v1/Genoa/crl')
    const pccs = 'https://pccs.example:8081'
    expect(await urlOf(ROOT_LIST, { pccs })).toBe('https://pccs.example:8081/sgx/certification/v4/rootcacrl')
    expect(await urlOf({ kind: 'intel-pck-crl', ca: 'processor' }, { pccs })).toMatch(`${pccs}/sgx/`)
  })

  it.each([
    ['plain HTTP', { services: { 'amd-kds': 'http://mirror.local:8080' } }],
    ['plain HTTP of another port', { pccs: 'http://pccs.local:1', allowPlainHttp: ['http://pccs.local:2'] }],
    ['plain HTTP of another host', { pccs: 'http://pccs.local.example', allowPlainHttp: ['http://pccs.local'] }],
    ['a file', { services: { 'amd-kds': 'file:///etc/passwd' } }],
    ['a password', { services: { 'amd-kds': 'https://me:secret@mirror.example' } }],
    ['a query', { services: { 'amd-kds': 'https://mirror.example/?a=b' } }],
    ['no URL', { services: { 'amd-kds': 'mirror' } }],
    ['no service', { services: { 'amd-kdss': 'https://mirror.example' } }],
  ])('are refused where they carry %s', (_, options) => {
    const made = () => createVendorClient(options as VendorClientOptions)
    expect(made).toThrow(TypeError)
    expect(made).not.toThrow(/secret/)
  })

  it('without TLS are asked where the operator allows that origin by name', async () => {
    const server = createServer((_, response) => response.writeHead(503).end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const patience = { attempts: 1 }
    const fetchObject = createVendorClient({ services: { 'amd-kds': origin }, allowPlainHttp: [origin], patience })
    const outcome = await fetchObject(CRL)
    server.close()
    expect(outcome).toMatchObject({ faults: [{ code: 'COLLATERAL_VENDOR_FAILED', actual: '127.0.0.1: 503' }] })
  })
})

describe('a request that names no object is an error of whoever made it', () => {
  it.each([
    ['a chip', { ...VCEK, hwid: '../../etc' }],
    ['a chip of another product', { ...VCEK, product: 'Turin' }],
    ['a level', { ...VCEK, tcb: { ...VCEK.tcb, snp: 256 } }],
    ['a product', { ...CRL, product: 'Rome/../Milan' }],
    ['a key', { ...CRL, key: 'vcek/../x' }],
    ['a platform', { kind: 'intel-tcb-info', tee: 'tdx', fmspc: 'B0C06F000000&x', update: 'standard' }],
    ['an authority', { kind: 'intel-pck-crl', ca: 'root' }],
    ['a train', { kind: 'intel-qe-identity', tee: 'tdx', update: 'late' }],
    ['a manifest', { kind: 'nvidia-rim', id: 'NV_GPU_DRIVER_GH100_550/../../x' }],
    ['a manifest of no length', { kind: 'nvidia-rim', id: `NV_GPU_DRIVER${'_a'.repeat(80)}` }],
    ['an issuer of keys', { kind: 'jwks', issuer: 'https://evil.example' }],
    ['a certificate', { kind: 'nvidia-ocsp', certificate: new Uint8Array(3), issuer: ISSUER }],
    ['an issuer', { kind: 'nvidia-ocsp', certificate: CERTIFICATE, issuer: CERTIFICATE }],
  ])('%s', async (_, request) => {
    await expect(questionOf(request as CollateralRequest)).rejects.toThrow(TypeError)
  })
})

describe('what is sent', () => {
  it('a question to the responder has a nonce of its own each time', async () => {
    const [one, two] = [await questionOf(OCSP), await questionOf(OCSP)]
    expect(one.method).toBe('POST')
    expect(one.headers['Content-Type']).toBe('application/ocsp-request')
    expect(one.body).not.toEqual(two.body)
    expect(one.body?.subarray(0, -32)).toEqual(two.body?.subarray(0, -32))
  })

  it('NVIDIA’s service key goes to NVIDIA’s services alone', async () => {
    const nvidiaServiceKey = 'secret-key'
    for (const request of [RIM, OCSP]) {
      expect((await questionOf(request, { nvidiaServiceKey })).headers.Authorization).toBe('Bearer secret-key')
      expect((await questionOf(request)).headers).not.toHaveProperty('Authorization')
    }
    for (const request of [CRL, VCEK, ROOT_LIST]) {
      expect(JSON.stringify((await questionOf(request, { nvidiaServiceKey })).headers)).not.toContain('secret-key')
    }
  })

  it('every vendor is asked over TLS', () => {
    expect(Object.values(VENDOR_SERVICES).filter((base) => !base.startsWith('https://'))).toEqual([])
  })
})

describe('the network of this machine', () => {
  const ask = (url: string) =>
    networkExchange()({
      url,
      method: 'GET',
      headers: {},
      body: undefined,
      maxBytes: 1024,
      timeoutMilliseconds: 5000,
    })

  it('a name that does not exist, a port where nobody listens', async () => {
    expect(await ask('https://vendor.invalid/')).toMatchObject({ kind: 'failed', failure: 'host-unknown' })
    expect(await ask('https://127.0.0.1:1/')).toMatchObject({ kind: 'failed', failure: 'unreachable' })
  })
})
