import { describe, expect, it } from 'vitest'
import { type Explanation, explainPolicy, presetPolicy } from '../../src/policy/index.ts'
import { DIGEST, documentWith, documentWithGpu, type Json, policyOf, SIGNER } from './support.ts'

const explained = (document: Json): Explanation => explainPolicy(policyOf(document))
const texts = (document: Json) => explained(document).rules.map((r) => r.text)
const risks = (document: Json) => explained(document).residualRisks.flatMap((r) => r.threats)

describe('explainPolicy', () => {
  it('says the preset for H100 in plain sentences', () => {
    expect(explainPolicy(presetPolicy('h100-confidential'))).toMatchInlineSnapshot(`
      {
        "advice": [
          "Alternative 1 pins no measurement. Take the digest from the publisher of the image, never from the machine that is judged.",
          "Alternative 2 pins no measurement. Take the digest from the publisher of the image, never from the machine that is judged.",
          "Alternative 2 names no minTcbEvaluationDataNumber: until a document expires, older collateral may call a machine up to date that Intel's newest does not.",
        ],
        "residualRisks": [
          {
            "text": "Does not stop the owner of the machine from extracting the chip's key with hardware on the memory bus, for under 1000 dollars. Evidence forged with such a key passes every check here.",
            "threats": [
              "T1",
              "T2",
              "T3",
            ],
          },
          {
            "text": "Does not pin the image: any guest on genuine hardware is accepted, whatever runs in it.",
            "threats": [
              "T30",
              "T31",
            ],
          },
          {
            "text": "Does not stop host exec into containers, nor added containers: below level 4 nobody vouches that the measured image runs only what it was launched for.",
            "threats": [
              "T34",
            ],
          },
          {
            "text": "Does not prove that the GPU sits in this machine: its evidence may be relayed from another.",
            "threats": [
              "T20",
            ],
          },
          {
            "text": "Does not prove that the GPU is out of devtools mode, in which the host can read it.",
            "threats": [
              "T12",
              "T16",
            ],
          },
          {
            "text": "Nothing hides the pattern of memory accesses and page faults of TDX and SGX from the host, and code may leak secrets through it.",
            "threats": [
              "T9",
            ],
          },
          {
            "text": "The host may read ciphertext and move pages, and learn from how they change.",
            "threats": [
              "T9",
            ],
          },
          {
            "text": "Nothing in the launch names this lease: a guest launched for somebody else can answer for it.",
            "threats": [
              "T30",
            ],
          },
          {
            "text": "Speaks of the moment of the challenge: what happens to the machine afterwards shows only when it is asked again.",
            "threats": [
              "T32",
            ],
          },
        ],
        "rules": [
          {
            "rule": "/require/level",
            "text": "The machine must reach assurance level 2 (fresh): the evidence also answers our own challenge.",
          },
          {
            "rule": "/require/cpu/any",
            "text": "The CPU must meet one of 2 alternatives in full.",
          },
          {
            "rule": "/require/cpu/any/0/products",
            "text": "Alternative 1: An AMD SEV-SNP report of Genoa or Turin, version 3 or later.",
          },
          {
            "rule": "/require/cpu/any/0/signingKeys",
            "text": "Alternative 1: It must be signed by a chip key (VCEK) and asked for at VMPL 0.",
          },
          {
            "rule": "/require/cpu/any/0/tcbFloors",
            "text": "Alternative 1: The firmware must have the fixes of every AMD bulletin whose levels are known.",
          },
          {
            "rule": "/require/cpu/any/0/provisionalFirmware",
            "text": "Alternative 1: Firmware that is not committed is refused.",
          },
          {
            "rule": "/require/cpu/any/0/maskedChipId",
            "text": "Alternative 1: A report that hides its chip is refused.",
          },
          {
            "rule": "/require/cpu/any/0/guestPolicy",
            "text": "Alternative 1: The guest must not allow debugging, a migration agent or CXL memory.",
          },
          {
            "rule": "/require/cpu/any/0/guestPolicy",
            "text": "Alternative 1: The guest may allow hyper-threading.",
          },
          {
            "rule": "/require/cpu/any/0/platformInfo/aliasCheckComplete",
            "text": "Alternative 1: Platform bit aliasCheckComplete is required.",
          },
          {
            "rule": "/require/cpu/any/0/revocation",
            "text": "Alternative 1: A current revocation list of AMD must be there and clear the chain.",
          },
          {
            "rule": "/require/cpu/any/1/platform",
            "text": "Alternative 2: An Intel TDX quote.",
          },
          {
            "rule": "/require/cpu/any/1/tcbStatus",
            "text": "Alternative 2: Intel's TCB status must be UpToDate.",
          },
          {
            "rule": "/require/cpu/any/1/revocation",
            "text": "Alternative 2: Intel's current revocation lists must be there, obtained by the verifier, and clear the chain.",
          },
          {
            "rule": "/require/cpu/any/1/tdAttributes",
            "text": "Alternative 2: The TD must not allow debugging, migration or shared performance counters.",
          },
          {
            "rule": "/require/cpu/any/1/tdAttributes",
            "text": "Alternative 2: The TD may allow supervisor protection keys or Key Locker.",
          },
          {
            "rule": "/require/cpu/any/1/tdAttributes/septVeDisable",
            "text": "Alternative 2: A page that the host takes away must end the TD (SEPT_VE_DISABLE).",
          },
          {
            "rule": "/require/cpu/any/1/serviceTds",
            "text": "Alternative 2: No service TD may be bound to it.",
          },
          {
            "rule": "/require/gpu/count",
            "text": "Exactly as many GPUs as the lease says, of model H100 or H200, each a device of its own.",
          },
          {
            "rule": "/require/gpu/modes",
            "text": "Several GPUs are accepted only as a whole board in protected PCIe mode (PPCIE), all 8 GPUs and 4 switches of it: outside such a board their NVLink traffic is in the clear, and acceptRisks has no plain-nvlink.",
          },
          {
            "rule": "/require/gpu/minDriver",
            "text": "Their driver must be 550.90.07 or later.",
          },
          {
            "rule": "/require/gpu/rim",
            "text": "Their measurements must match the manifests that NVIDIA signed.",
          },
          {
            "rule": "/require/gpu/revocation",
            "text": "Revocation answers of NVIDIA must be there, if only with the evidence, and count while they are valid.",
          },
          {
            "rule": "/require/gpu/binding",
            "text": "GPU and CPU must answer the same challenge, which does not prove that they are one machine.",
          },
          {
            "rule": "/require/gpu/nonce",
            "text": "The GPU nonce is the first half of the CPU report data.",
          },
          {
            "rule": "/require/gpu/devtools",
            "text": "That devtools mode is off is not proved.",
          },
          {
            "rule": "/freshness/maxAgeSeconds",
            "text": "The evidence must answer a challenge that is at most 120 seconds old.",
          },
          {
            "rule": "/onInconclusive",
            "text": "Where something needed is missing, the caller denies; nothing is opened either way.",
          },
        ],
      }
    `)
  })

  it('has a sentence for every rule that is written, under its own pointer', () => {
    const document = documentWith(
      {
        minTcb: { snp: 27 },
        minLaunchTcb: { snp: 26 },
        minFirmware: '1.55.40',
        minGuestSvn: 3,
        minAbi: '1.55',
        tcbFloors: { bulletins: '2026-02-01' },
        guestPolicy: {
          smt: 'forbidden',
          singleSocket: 'required',
          ciphertextHiding: 'required',
          pageSwapDisabled: 'required',
          memAes256Xts: 'required',
          raplDisabled: 'required',
        },
        platformInfo: { tsmeEnabled: 'required', unknownBits: 'allowed' },
        mitigations: { launch: '000000000000000b' },
        measurements: [DIGEST],
        hostData: ['c3'.repeat(32)],
        idKeyDigests: [DIGEST],
        authorKeyDigests: [DIGEST],
        chipIds: ['42'.repeat(64)],
        signingKeys: ['vcek', 'vlek'],
        cspIds: ['CN=x'],
        revocation: 'none',
      },
      {
        referenceValues: { signers: [SIGNER] },
        collateral: { maxAgeSeconds: 604_800 },
        acceptRisks: ['plain-nvlink'],
        keyRelease: {},
        onInconclusive: 'retry',
      },
      { level: 3, physical: ['audited'], lease: 'required', leaseBinding: 'host-data' },
    )
    const pointers = explained(document).rules.map((r) => r.rule)
    const at = (name: string) => `/require/cpu/any/0/${name}`
    const snp = [
      'minTcb',
      'minLaunchTcb',
      'minFirmware',
      'minGuestSvn',
      'minAbi',
      'tcbFloors',
      'guestPolicy',
      'guestPolicy/singleSocket',
      'guestPolicy/ciphertextHiding',
      'guestPolicy/pageSwapDisabled',
      'guestPolicy/memAes256Xts',
      'guestPolicy/raplDisabled',
      'platformInfo/tsmeEnabled',
      'platformInfo/unknownBits',
      'mitigations/launch',
      'measurements',
      'hostData',
      'idKeyDigests',
      'authorKeyDigests',
      'chipIds',
      'cspIds',
      'revocation',
    ]
    const rest = [
      '/require/level',
      '/require/gpu',
      '/require/physical',
      '/require/lease',
      '/require/leaseBinding',
      '/freshness/maxAgeSeconds',
      '/collateral/maxAgeSeconds',
      '/referenceValues/signers',
      '/acceptRisks',
      '/keyRelease',
      '/onInconclusive',
    ]
    expect(pointers).toEqual(expect.arrayContaining([...snp.map(at), ...rest]))
    for (const text of texts(document)) expect(text).toMatch(/^[A-Z].*\.$/)
    expect(texts(document)).toContain(
      'Revocation lists, OCSP answers and Intel’s TCB documents must have been issued in the last 7 days.',
    )
    expect(JSON.stringify(explained(document))).not.toContain(DIGEST)
  })

  it('numbers alternatives', () => {
    const two = documentWith(
      {},
      {},
      { cpu: { any: [{ platform: 'amd/snp' }, { platform: 'amd/snp', products: ['Turin'] }] } },
    )
    expect(texts(two)).toContain('Alternative 2: An AMD SEV-SNP report of Turin, version 3 or later.')
  })

  it('says what the GPUs must show', () => {
    const document = documentWithGpu({
      count: 8,
      models: 'any',
      modes: ['PPCIE'],
      minVbios: '96.00.CF.00.01',
      denyDrivers: ['550.54.14'],
      denyVbios: ['96.00.74.00.1C'],
      rim: 'none',
      revocation: 'none',
      nonce: 'composite',
      deviceIds: ['41ffeeb20009e0be49'],
    })
    expect(texts(document)).toEqual(
      expect.arrayContaining([
        'Exactly 8 GPUs, of any model, each a device of its own.',
        'They must run in mode PPCIE, and say so.',
        'Their VBIOS must be 96.00.CF.00.01 or later.',
        'Their driver must not be 550.54.14.',
        'Their measurements are not compared with anything.',
        'The CPU report must cover the list of GPU reports.',
      ]),
    )
  })

  it('says what holds where there are several GPUs', () => {
    const board = 'a whole board in protected PCIe mode (PPCIE), all 8 GPUs and 4 switches of it'
    const clear = 'outside such a board their NVLink traffic is in the clear, and acceptRisks has no plain-nvlink.'
    const plain = (gpus: string) =>
      `NVLink traffic between several ${gpus} may be in the clear, since acceptRisks has plain-nvlink`
    const wholeOnly = `GPUs in PPCIE mode are accepted only as ${board}.`
    const wholeBoard = `They must be ${board}; no accepted risk stands in for a part of it.`
    const of = (rule: Json, members: Json = {}) =>
      explained(documentWithGpu(rule, members))
        .rules.filter(({ rule, text }) => rule === '/require/gpu/modes' && !text.startsWith('They must run'))
        .map(({ text }) => text)
    const accepting = { acceptRisks: ['plain-nvlink'] }
    for (const count of [8, 'lease'] as const) {
      expect(of({ count })).toEqual([`Several GPUs are accepted only as ${board}: ${clear}`])
      expect(of({ count, models: 'any' })).toEqual([`Several Hopper GPUs are accepted only as ${board}: ${clear}`])
      expect(of({ count }, accepting)).toEqual([`${plain('GPUs')}; ${wholeOnly}`])
      expect(of({ count, modes: ['SPT', 'MPT'] }, accepting)).toEqual([`${plain('GPUs')}.`])
      for (const members of [{}, accepting]) expect(of({ count, modes: ['PPCIE'] }, members)).toEqual([wholeBoard])
      expect(of({ count, models: ['B200'] })).toEqual([wholeOnly])
      expect(of({ count, models: ['B200'], modes: ['MPT'] })).toEqual([])
    }
    const refused = `are refused, as the policy leaves no room for ${board}: ${clear}`
    expect(of({ count: 'lease', modes: ['SPT'] })).toEqual([`Several GPUs ${refused}`])
    expect(of({ count: 4, models: ['B200', 'H100'] })).toEqual([`Several Hopper GPUs ${refused}`])
    expect(of({ count: 2 }, accepting)).toEqual([`${plain('GPUs')}; ${wholeOnly}`])
    for (const members of [{}, accepting]) expect(of({ count: 1 }, members)).toEqual([])
  })

  it('says who must obtain revocation answers of NVIDIA', () => {
    const said = (revocation: string) =>
      explained(documentWithGpu({ revocation })).rules.find(({ rule }) => rule === '/require/gpu/revocation')?.text
    expect(said('required')).toContain('obtained by the verifier')
    expect(said('stapled')).toContain('if only with the evidence')
  })

  it('tells a residual risk exactly while a rule leaves it', () => {
    const signers = { referenceValues: { signers: [SIGNER] } }
    const pairs: [string, Json, Json][] = [
      ['T6', documentWith({ products: ['Milan'] }, { acceptRisks: ['milan-seed-extraction'] }), documentWith()],
      ['T31', documentWith(), documentWith({ measurements: [DIGEST] }, {}, { level: 3 })],
      ['T34', documentWith(), documentWith({}, signers, { level: 4 })],
      ['T20', documentWithGpu(), documentWithGpu({ binding: 'measured-guest' }, signers)],
      ['T12', documentWithGpu(), documentWithGpu({ devtools: 'excluded', binding: 'measured-guest' }, signers)],
      ['T52', documentWithGpu({ rim: 'none' }), documentWithGpu()],
      ['T41', documentWith({ revocation: 'none' }), documentWith()],
      ['T41', documentWithGpu({ revocation: 'none' }), documentWithGpu({ revocation: 'stapled' })],
      ['T14', documentWith({ provisionalFirmware: 'allowed' }), documentWith()],
      ['T28', documentWith({ maskedChipId: 'allowed' }), documentWith()],
      ['T12', documentWith({ guestPolicy: { debug: 'allowed' } }, { profile: 'development' }), documentWith()],
      [
        'T9',
        documentWith(),
        documentWith({ guestPolicy: { ciphertextHiding: 'required', pageSwapDisabled: 'required' } }),
      ],
    ]
    for (const [threat, left, removed] of pairs) {
      expect(risks(left)).toContain(threat)
      expect(risks(removed)).not.toContain(threat)
    }
    // What no policy removes is said under every policy.
    for (const document of [documentWith(), documentWith({}, {}, { physical: ['audited'] })]) {
      expect(risks(document)).toEqual(expect.arrayContaining(['T1', 'T32']))
    }
  })

  it('advises on what an author may have overlooked', () => {
    const release = documentWith({ measurements: [DIGEST] }, { keyRelease: {}, referenceValues: { signers: [SIGNER] } })
    expect(explained(release).advice).toEqual([
      'keyRelease.minLevel is 5 and require.level is 1: a machine may be accepted and still be refused the key.',
    ])
    expect(explained(documentWith({ idKeyDigests: [DIGEST] })).advice.join()).toContain(
      'every image that such a key ever signed',
    )
    expect(explained(documentWith({ measurements: [DIGEST] })).advice).toEqual([])
  })
})
