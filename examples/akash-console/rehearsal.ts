/*
 * The one part that no marketplace copies. Nobody who tries this has an H100 in confidential mode at hand, so evidence comes
 * from the test kit, whose roots nobody trusts: a gate refuses it with GATE_ANCHORS_INJECTED, also where the roots are
 * injected, and no option turns that off. To show what happens with hardware that is trusted, `trustingTheTestKit` takes the
 * kit's roots for the vendors'. It reaches into the source for the class `Gate`; the published package has no way to do this.
 */
import { generateKeyPairSync } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { GateOptions } from '../../src/gate/core.ts'
import { Gate } from '../../src/gate/gate.ts'
import {
  type AccountProof,
  accountAddress,
  accountProof,
  adr36Document,
  createGate,
  createVerificationCache,
  credentialSigner,
  DEFAULT_RULES,
  type Decision,
  type Evidence,
  memoryStore,
  NO_COLLATERAL,
  nodeRandom,
  nodeScheduler,
  prepareCollateral,
  type TrustAnchor,
  type VerifyContext,
  verify,
} from '../../src/index.ts'
import {
  akashGpuReport,
  amdMachine,
  anchorFromCertificate,
  createNvidiaTestPki,
  gpuReport,
  nvidiaMachine,
  testChipId,
} from '../../src/testing/index.ts'

const SEED = 'akash-console'
const AT = '2026-08-01T00:00:00Z'
/** The kit's certificates and lists are made for this second, and so is everything judged. */
export const NOW = Date.parse(AT) / 1000

const HOPPER = { driverVersion: '580.159.03', vbiosVersion: '96.00.FE.00.01', featureFlag: 'spt' } as const

/** A provider with one SEV-SNP machine, one H100 in it, and a wallet. */
export interface Provider {
  readonly name: string
  readonly address: string
  /** the sidecar's answer to this nonce, as AEP-83 spells it; `debug` launches the guest so that its host can read it */
  quote(nonce: Uint8Array, how: 'confidential' | 'debug'): Quote
  /** of its own machine, as `vouchsafe verify --json` shows them */
  hardwareIds(evidence: Uint8Array): Promise<readonly string[]>
  sign(statement: Uint8Array): AccountProof
}

export interface Quote {
  readonly report: string
  readonly cert_chain: string
  readonly auxblob: string
  readonly tee_platform: 'snp-gpu'
  readonly gpu_reports: readonly { readonly device_index: number; readonly report: string }[]
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** @param secret key of the account, 32 bytes */
export async function providerNamed(name: string, secret: Uint8Array): Promise<Provider> {
  const publicKey = secp256k1.getPublicKey(secret, true)
  const address = await accountAddress(publicKey, 'akash')
  const gpu = gpuOf(name)
  return {
    name,
    address,
    quote(nonce, how) {
      const options = { at: AT, chipId: testChipId('Genoa', name), report: { reportData: nonce } }
      const machine = amdMachine(SEED, how === 'debug' ? { ...options, wrong: 'policy-debug' } : options)
      const spec = {
        seed: SEED,
        device: { ...gpu, architecture: 'hopper' },
        nonce: nonce.subarray(0, 32),
        ...HOPPER,
      } as const
      const report = akashGpuReport({ report: gpuReport(spec), chainPem: gpu.chainPem })
      return {
        ...{ report: base64(machine.report), cert_chain: '', auxblob: base64(machine.table) },
        ...{ tee_platform: 'snp-gpu', gpu_reports: [{ device_index: 0, report: base64(report) }] },
      }
    },
    async hardwareIds(evidence) {
      const { items } = await verify(evidence, {
        ...{ now: NOW, policy: null, freshness: { kind: 'notChecked', because: 'it is our own' }, lease: null },
        ...{ collateral: NO_COLLATERAL, physical: 'unknown', referenceValues: [], injectedAnchors: kitAnchors() },
        cache: createVerificationCache(),
      })
      return items.flatMap((item) => item.hardwareId ?? [])
    },
    sign: (statement) => ({
      pub_key: { type: 'tendermint/PubKeySecp256k1', value: base64(publicKey) },
      signature: base64(secp256k1.sign(adr36Document(address, statement), secret)),
    }),
  }
}

const gpuOf = (name: string) => createNvidiaTestPki(SEED).device({ architecture: 'hopper', label: name })

/** What the vendors publish about these machines: lists, manifests, answers about certificates. */
export async function collateralFor(names: readonly string[]): Promise<VerifyContext['collateral']> {
  const pki = createNvidiaTestPki(SEED)
  const { driverRim, vbiosRim, ocspResponses } = kitGpus()
  const ocsp = names.flatMap((name) => {
    const { identity, provisioner, architecture } = gpuOf(name).certificates
    return [identity, provisioner, architecture].map((certificate) => pki.ocsp({ certificate, at: AT }))
  })
  const shared = ocspResponses.map(({ der }) => der)
  const files = [amdMachine(SEED, { at: AT }).crl, driverRim.bytes, vbiosRim.bytes, ...shared, ...ocsp]
  return (await prepareCollateral(files.map((bytes, i) => ({ name: `${i}`, bytes })))).collateral
}

const kitGpus = () =>
  nvidiaMachine(SEED, { architecture: 'hopper', gpuCount: 1, nonce: new Uint8Array(32), ...HOPPER, at: AT })

function kitAnchors(): readonly TrustAnchor[] {
  const { roots } = kitGpus()
  return [
    anchorFromCertificate(amdMachine(SEED, { at: AT }).trustedArk, 'amd/ark'),
    anchorFromCertificate(roots.device, 'nvidia/device-root'),
    anchorFromCertificate(roots.rim, 'nvidia/rim-root'),
  ]
}

/** `verify`, with the test kit's roots taken for the vendors': what rests on them no longer says so. For rehearsals alone. */
export const trustingTheTestKit = async (evidence: Evidence, context: VerifyContext): Promise<Decision> => ({
  ...(await verify(evidence, context)),
  injectedAnchors: [],
})

/** As a marketplace configures its gate, but for a clock that stands still and a store that forgets. */
export function gateOptions(collateral: VerifyContext['collateral']): GateOptions {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    store: memoryStore(),
    signer: credentialSigner({
      ...{ kid: 'key-1', alg: 'ES256', key: privateKey },
      verifier: { developer: 'https://gate.example', build: 'example' },
    }),
    collateral: async () => collateral,
    verifyProviderProof: accountProof,
    ...{ clock: () => NOW, random: nodeRandom, scheduler: nodeScheduler, physical: () => 'unknown' },
    ...{ referenceValues: [], injectedAnchors: kitAnchors(), cache: createVerificationCache(), salt: nodeRandom(32) },
    ...{ verifierKeyId: 'key-1', issuer: 'https://gate.example', audience: ['console.akash.network'] },
    ...{ rules: DEFAULT_RULES, enforce: true, onError: (error) => console.error(error) },
  }
}

/** The gate of the published package. */
export const publishedGate = (options: GateOptions): Gate => createGate(options)

/** A gate over hardware that does not exist. */
export const rehearsalGate = (options: GateOptions): Gate => new Gate(options, trustingTheTestKit)
