import { fromBase64 } from './encodings.ts'
import { take } from './outcome.ts'
import { parseRfc3339, type UnixSeconds } from './time.ts'

export type AnchorRole =
  | 'amd/ark'
  | 'amd/ask'
  | 'amd/asvk'
  | 'nvidia/device-root'
  | 'nvidia/rim-root'
  | 'intel/sgx-root'
  | 'aws/nitro-root'
  | 'tpm/root'

export type AmdProduct = 'Milan' | 'Genoa' | 'Turin'

/** A public key that is trusted without further proof, described by facts. Its certificate's body is never taken from evidence. */
export interface TrustAnchor {
  /** e.g. `amd/ARK-Genoa` */
  readonly id: string
  readonly role: AnchorRole
  /** AMD product line of the anchor; undefined for every other vendor */
  readonly product: AmdProduct | undefined
  /** distinguished name, DER */
  readonly subject: Uint8Array
  /** content octets of the serial number, lower-case hex */
  readonly serial: string
  readonly notBefore: UnixSeconds
  readonly notAfter: UnixSeconds
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array
  readonly spkiSha256: string
  readonly certificateSha256: string
  /** added by the caller, not pinned by us: a decision that rests on it says so and opens nothing */
  readonly injected: boolean
}

/**
 * The vendors' keys as we pin them, with the fingerprints by which anyone can compare them with the vendor's own copy:
 * AMD `https://kdsintf.amd.com/{vcek,vlek}/v1/<product>/cert_chain`; NVIDIA's device identity CA and CoRIM signing root CA
 * as its attestation SDKs carry them; Intel
 * `https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer`, whose key an older
 * certificate of the same name and serial (until 2033) certifies as well: paths rest on the key;
 * AWS `https://aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip`; Google's two roots of virtual TPMs, as
 * `http://pki.goog/cloud_integrity/tpm_ek_root_1.crt` and its private CA service hand them out.
 */
const FACTS = [
  {
    id: 'amd/ARK-Milan',
    role: 'amd/ark',
    product: 'Milan',
    subject:
      'MHsxFDASBgNVBAsMC0VuZ2luZWVyaW5nMQswCQYDVQQGEwJVUzEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMR8wHQYDVQQKDBZBZHZhbmNlZCBNaWNybyBEZXZpY2VzMRIwEAYDVQQDDAlBUkstTWlsYW4=',
    serial: '010000',
    notBefore: '2020-10-22T17:23:05Z',
    notAfter: '2045-10-22T17:23:05Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA0Ld52RJOdeiJlqK2JdsVmD7FktuotWwX1fNgW41XY9Xz1HEhSUmhLz9Cu9DHRlvgJSNxbeYYsnJfvyjx1MfU0V5tkKiU1EesNFta1kTA0szNisdYc9isqk7mXT5+KfGRbfc4V/9zRIcE8jlHN61S1ju8X93+6dxDUrG2SzxqJ4BhqyYmUDruPXJSX4vUc01P7j98MpqOS95rORdGHeI52Naz5m2B+O+vjsC060d37jY9LFeuOP4Meri8qgfi2S5kKqg/aF6aPtuAZQVR7u3KFYXP59XmJgtcog05gmI0T/OitLhuzVvpZcLph0odh/1IPXqx3+MnjD97A7fXpqGd/y8KxX7jksTEzAOgbKAeam3lm+3yKIcTYMlsRMXPcjNbIvmsBykD//xSniusuHBkgnlENEWx1UcbQQrs+gVDkuVPhsnzIRNgYvM48Y+7LGiJYnrmE8xcrexekBxrva2V9TJQqnN3Q53kt5viQi3+gCfmkwC0F0tirIZbLkXPrPwzZ0M9eNxhIySb2npJfgnqz55I0u33wh4r0ZNQeTGfw03MBUtyuzGesGkcw+loqMaq1qR4tjGbPYxCvpCq7+OgpCCoMNit2uLo9M18fHz10lOMT8nWAUvRZFzteXCm+7PHdYPlmQwUw3LvenJ/ILXoQPHfbkH0CyPfhl1jWhJFZasCAwEAAQ==',
    spkiSha256: '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
    certificateSha256: '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd',
  },
  {
    id: 'amd/SEV-Milan',
    role: 'amd/ask',
    product: 'Milan',
    subject:
      'MHsxFDASBgNVBAsMC0VuZ2luZWVyaW5nMQswCQYDVQQGEwJVUzEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMR8wHQYDVQQKDBZBZHZhbmNlZCBNaWNybyBEZXZpY2VzMRIwEAYDVQQDDAlTRVYtTWlsYW4=',
    serial: '010001',
    notBefore: '2020-10-22T18:24:20Z',
    notAfter: '2045-10-22T18:24:20Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAnU2drrNTfbhNQIllf+W2y+ROCbSzId1aKZft2T9zjZQOzjGccl17i1mIKWl7NTcB0VYXt3JxZSzOZjsjLNVAEN2MGj9TiedL+QewKZX0JmQEuYjm+WKksLtxgdLp9E7EZNwNDqV1r0qRP5tB8OWkyQbIdLeu4aCz7j/Sl1FkBytev9sbFGzt7cwnjzi9m7noqsk+uRVBp3+In35QPdcj8YflEmnHBNvuUDJhLCJMW8KOjP6++Phbs3iCitJcANEtW4qTNFoKW3CHlbcSCjTM8KsNbUx3A8ek5EVLjZWH1pt9E3TfpR6XyfQKnY6kl5aEIPwdW3eFYaqCFPrIo9pQT6WuDSP4JCYJbZneKKIbZjzXkJt3NQG32EukYImBb9SCkm9+fS5LZFg9ojzubMX3+NkBoSXI7OPvnHMxjup9mw5se6QUV7GqpCA2TNypolmuQ+cAaxV7JqHE8dl9pWf+Y3arb+9iiFCwFt4lAlJw5D0CTRTC1Y5YWFDBCrA/vGnmTnqG8C+jjUAS7cjjR8q4OPhyDmJRPnaC/ZG5uP0K0z6GoO/3uen9wqshCuHegLTpOeHEJRKrQFr4PVIwVOB0+ebO5FgoyOw43nyFD5UKBDxEB4BKo/0uAiKHLRvvgLbORbU8KARIs1EoqEjmF8UtrmQWV2hUjwzqwvHFei8rPxMCAwEAAQ==',
    spkiSha256: '42491669ccb851d627ea9846cd24eccbeb7de7c2a62740120fff88001d38ebb6',
    certificateSha256: '67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b',
  },
  {
    id: 'amd/SEV-VLEK-Milan',
    role: 'amd/asvk',
    product: 'Milan',
    subject:
      'MIGAMRQwEgYDVQQLDAtFbmdpbmVlcmluZzELMAkGA1UEBhMCVVMxFDASBgNVBAcMC1NhbnRhIENsYXJhMQswCQYDVQQIDAJDQTEfMB0GA1UECgwWQWR2YW5jZWQgTWljcm8gRGV2aWNlczEXMBUGA1UEAwwOU0VWLVZMRUstTWlsYW4=',
    serial: '010101',
    notBefore: '2022-11-16T22:45:24Z',
    notAfter: '2047-11-16T22:45:24Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA1EUWkz5FTPz+uWT2hCEyisam8FRuXZAmS3l+rXgSCeS1Q0+1olcnFSJpiwfssfhoutJqePyicu+OhkX131PMeO/VOtH3upK4YNJmq36IJp7ZWIm5nK2fJNkYEHW0m/NXcIA9U2iHl5bAQ5cbGp97/FaOJ4VmGoTMV658Yox/plFmZRFfRcsw2hyNhqUl1gzdpnIIgPkygUovFEgaa0IVSgGLHQhZQiebNLLSVWRVReve0t94zlRIRRdrz84cckP9H9DTAUMyQaxSZbPINKbV6TPmtrwAV9UP1Qq418xn9I+C0SsWutP/5S1OiL8OTzQ4CvgbHOfd2F3yVv4xDBza4SelF2igoDf+BF4XI/IIHJL2N5uKy3+gkSB2Xl6prohgVmqRFvBW9OTCEa32WhXu0t1Z1abEKDZ3LpZt9/Crg6zyPpXDLR/tLHHpSaPRj7CTzHieKMTz+Q6RrCCQcHGfaAD/ETNY56aHvNJRZgbzXDUJvnLr3dYyOvvn/DtKhCSimJynn7Len4ArDVQVwXRPe3hR/asCE2CajT7kGC1AOtUzQuIKZS2D0Qk74g297JhLHpEBlQiyjRJ+LCWZNx9uJcixGyzav6fiOWx4U8uWhRzHs8nvDAdcS4LW31tPlA9BeOK/BGimQTu7hM5MDFZL0C9dWK5puCUJex6I2vSqvycCAwEAAQ==',
    spkiSha256: '66450a123ea5876206df67f2514a4fea224c0f63b18313423078b0edc4535e33',
    certificateSha256: 'c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5',
  },
  {
    id: 'amd/ARK-Genoa',
    role: 'amd/ark',
    product: 'Genoa',
    subject:
      'MHsxFDASBgNVBAsMC0VuZ2luZWVyaW5nMQswCQYDVQQGEwJVUzEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMR8wHQYDVQQKDBZBZHZhbmNlZCBNaWNybyBEZXZpY2VzMRIwEAYDVQQDDAlBUkstR2Vub2E=',
    serial: '020000',
    notBefore: '2022-01-26T15:34:37Z',
    notAfter: '2047-01-26T15:34:37Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA3Cd95S/uFOuRIskW9vz9VDBF69NDQF79oRhL/L2PVQGhK3YdfEBgpF/JiwWFBsT/fXDhzA01p3LkcT/7LdjcRfKXjHl+0Qq/M4dZkh6QDoUeKzNBLDcBKDDGWo3v35NyrxbA1DnkYwUKU5AAk4P94tKXLp80oxt84ahyHoLmc/LqsGsp+oq1Bz4PPsYLwTG4iMKVaaT90/oZ4I8oibSru92vJhlqWO27d/Rxc3iUMyhNeGToOvgx/iUo4gGpG61NDpkEUvIzuKcaMx8IdTpWg2DF6SwF0IgVMffnvtJmA68BwJNWo1E4PLJdaPfBifcJpuBFwNVQIPQEVX3aP89HJSp8YbY9lySS6PlVEqTBBtaQmi4ATGmMR+n2K/e+JAhU2Gj7jIpJhOkdH9firQDnmlA2SFfJ/Cc0mGNzW9RmIhyOUnNFoclmkRhl3/AQU5Ys9Qsan1jT/EiyT+pCpmnA+y9edvhDCbOG8F2oxHGRdTBkylungrkXJGYiwGrR8kaiqv7NN8QhOBMqYjcbrkEr0f8QMKklIS5ruOfqlLMCBw8JLB3LkjpWgtD7OpxkzSsohN47Uom86RY6lp72g8eXHP1qYrnvhzaG1S70vw6OkbaaC9EjiH/uHgAJQGxon7u0Q7xgoREWA/e7JcBQwLg80Hq/sbRuqesxz7wBWSY254cCAwEAAQ==',
    spkiSha256: '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
    certificateSha256: '4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1',
  },
  {
    id: 'amd/SEV-Genoa',
    role: 'amd/ask',
    product: 'Genoa',
    subject:
      'MHsxFDASBgNVBAsMC0VuZ2luZWVyaW5nMQswCQYDVQQGEwJVUzEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMR8wHQYDVQQKDBZBZHZhbmNlZCBNaWNybyBEZXZpY2VzMRIwEAYDVQQDDAlTRVYtR2Vub2E=',
    serial: '020002',
    notBefore: '2022-10-31T13:33:48Z',
    notAfter: '2047-10-31T13:33:48Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAoHJhvk4Fwwkwb03AMfLySXJSXmEaCZMTRbLgPaj4oEzaD9tGfxCSw/nsCAiXHQaWUt++bnbjJO05TKT5d+Cdrz4/fiRBpbhf0xzvh11O+wJTBPj3uCzDm48vEZ8l5SXMO4wd/QqwsrejFERPD/Hdfv1mGCMW7ac0ug8trDzqGe+l+p8NMjp/EqBDY2vd8hLaVLmS+XjAqlYVNRksh9aTzSYL19/cTrBDmqQ2y8k23zNl2lW6q/BtQOpWGVs3EWvBHb/Qnf3f3S9+lC4H2jdDy9yn7kqyTWq4WCBnE4qhYJRokulYtzMZM1Ilk4Z6RPkOTR1MJ4gdFtj7lKmrkSuOoJYmqhJIsQJ854lAbJybgU7zyzWAwu3uaslkYKUEAQf2ja5Hyl3IBqOzpqY31SpKzbl8NXveZybRMklwfe4iDLI25T9ku9CVetDYifCbdGeuHdTwZBBemW4NE57L7iEV8+zz8nxng8OMX//4pXntWqmQbEAnBLv2ToTgd1H2zYRthyDLc3V119/+FnTW17LK6bKzTCgEnCHQEcAt0hDQLLF799+2lZTxxfBEoduAZax6IjgAMCi6e1ZfKPJSkdvb2m3BwfP8bniG7+AEJv1WOEmnBJc1pVQCttbJUodbi07Vfen5JRUqAvSM3ObWQOzSAGzsGnpIigwFpW6m9F7uYVUCAwEAAQ==',
    spkiSha256: '0324d55bcd48ba877a8fd87c0e1b4934dec8448e3807a24384a34dc6a6c9ebb8',
    certificateSha256: '5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521',
  },
  {
    id: 'amd/SEV-VLEK-Genoa',
    role: 'amd/asvk',
    product: 'Genoa',
    subject:
      'MIGAMRQwEgYDVQQLDAtFbmdpbmVlcmluZzELMAkGA1UEBhMCVVMxFDASBgNVBAcMC1NhbnRhIENsYXJhMQswCQYDVQQIDAJDQTEfMB0GA1UECgwWQWR2YW5jZWQgTWljcm8gRGV2aWNlczEXMBUGA1UEAwwOU0VWLVZMRUstR2Vub2E=',
    serial: '020101',
    notBefore: '2022-11-18T20:48:34Z',
    notAfter: '2047-11-18T20:48:34Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAzL2/xihHscEpxS3+OsQZpAuNIJGSEQZrkoWPtqKMjjZOyXMMRHAheTm56Ei0Mb8TJZlbGDS5x/AdbowstGmpHqh2zvSvjZO7V4v6Ft84p71P6GXfOVEQgCuatiszfIwFrRQk/cmU7HuJadBq6XtYE+qBJMjus8C0WwW/IWY9j6pNbEA1SnUvVg6t89zfE+AcB5UDCKq09x7qw+rPt9pTpEch0f1bHdRFJlpgWGTq02ohH9bT+6au8kPpvMa3m2p8zdIIqtuuSG6srIimrpt24lsr4tLhQG65R/RbVJT9MsK4ULpbAUO5NwdlLwbnpLWHiUwoYrySMD8l3xRDvhPmInlXEFEo8lahcYllxiJJR8oqqA6x3jPFKmkfhEgaQefcn4P8nA4SScqAoLihn75iiDtU2+ZlkPnKgcNs5U1Le441ypen2n7BOnRyhmwyAUBGk3OcMXHsJ6KGpDJyTVCaC3fWX3ex4Iv4LkuKRA6O9yu3zHP23N/ubE8/YykffIjMbtBoOAzdWCn9lE4amo4VZ+8ewIutZAYmC5TIQO+wWUqKYr0iAobccMnZdJjUORjVoqVQ+dLr+/1otk36gfPc0LpmhWZKfAXF9sgvYtQjcaR9wlGr8ySRtZ2YJWofuR7zgYFJPEXRwAnbAR/05hBmog7CMt1F9YKSmku6JfRecY8CAwEAAQ==',
    spkiSha256: '7d1633252ebbadaa75f96e9b4e6f7d43a90ceb3f843937482630f8da2459264e',
    certificateSha256: '197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372',
  },
  {
    id: 'amd/ARK-Turin',
    role: 'amd/ark',
    product: 'Turin',
    subject:
      'MHsxFDASBgNVBAsMC0VuZ2luZWVyaW5nMQswCQYDVQQGEwJVUzEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMR8wHQYDVQQKDBZBZHZhbmNlZCBNaWNybyBEZXZpY2VzMRIwEAYDVQQDDAlBUkstVHVyaW4=',
    serial: '030000',
    notBefore: '2023-05-15T20:03:12Z',
    notAfter: '2048-05-15T20:03:12Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAwaAriB7EIuVc4ZB1wD3YfDxL+9eyS7+izm0Jj3W772NINCWl8Bj3w/JD2ZjmbRxWdIq/4d9iarCKorXloJUB1jRdgxqccTx1aOoig4+2w1XhVVJT7K457wT5ZLNJgQaxqa9Etkwjd6+9sOhlCDE9l43kQ0R2BikVJa/uyyVOSwEk5w5tXKOuG9jvq6QtAMJasW38wlqRDaKEGtZ9VUgGon27ZuL4sTJuC/azz9/iQBw8kEilzOl95AiTkeY5jSEBDWbAqnZk5qlM7kISKG20kgQm14mhNKDI2p2oua+zuAG7i52epoRF2GfU0TYk/yf+vCNB2tnechFQuP2e8bLk95ZdqPi9/UWw4JXjtdEA4u2JYplSSUPQVAXKt6LVqujtJcM59JKr2u0XQ75KwxcMp15gSXhBfInvPAwuAY4dEwwGqT8oIg4esPHwEsmChhYeDIxPG9R4fx9O0q6p8Gb+HXlTiS47P9YNeOpidOUKzDl/S1OvyhDtSL8LJc24QATFydo/iD/KUdvFTRlD0crkAMkZLoWQ8hLDGc6BZJXsdd7Zf2e4UW3tI/1oh/2t23Ot3zyhTcv5gDbABu0LjVe98uRnS15SMwK//lJt9e5BqKvgABkSoABf+B4VFtPVEX0ygrYaFaI9i5ABrxnVBmzXpRb21iI1NlNCfOGUPIhVpWECAwEAAQ==',
    spkiSha256: '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
    certificateSha256: '1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a',
  },
  {
    id: 'amd/SEV-Turin',
    role: 'amd/ask',
    product: 'Turin',
    subject:
      'MHsxFDASBgNVBAsMC0VuZ2luZWVyaW5nMQswCQYDVQQGEwJVUzEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMR8wHQYDVQQKDBZBZHZhbmNlZCBNaWNybyBEZXZpY2VzMRIwEAYDVQQDDAlTRVYtVHVyaW4=',
    serial: '030001',
    notBefore: '2023-05-15T20:25:21Z',
    notAfter: '2048-05-15T20:25:21Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAnvg5Grv2Emd9lAhKdO64RXU3UESb6JTm0Hhzevx1PyxinxYqJL329qTJM0XmdozLYb7rsHxgM5I2pU18M8gect2pN/YB2LQ1/bIq37TPDbg7ym0MN6KkZ6aERxAX0voYtdDyNxjDAUjpRpCe1FccAev/Es2n/Fz1G1TmC2XepTQqaKpmt6mnDWSCHCVsQoY0gSibeaG6doM6OiNUCbKXaC7KHH5b/96BD1DJ84M+JHqPClFhHqUJwzKF5Qxj4wgWAZzK8UPhiNGjrF6+TBdlFGdSzEqw1jOrCTHduYyLK+5OQ3OIw4S+vZeOVoxJajTIWdsqYP2DLc0HkL0qWOumEOrrc2/4DeETShB0MyIpH05kSalyQN2eN5P6ptOB84hddCdbJPEepnD+FqQap1ukw3K8uBcgeBSAF23r6UtT8Uc5h7MsWX3MoZiEHcSkDQQ8IedTk7CLjsK6S7b/lfKqfYiRhKgGkRvsEd/MDNcumHZKIgzasJwgagzSggiUo9jXp3EWm84fqyxNXzSutPB7qD5P/ULAB+q9QgvrzC8XneaLP0MNrHhM80UejmsBTIktMvFoWVIelYDLdcoi0eMD5DRccfsgrYaY6h/+/qf9tgg+mX09UJpuSPRF38oyqnNNFMl5v/tWLgUsChPU6NCQC17Qaqr8mu2ynyyuHEs5JVUCAwEAAQ==',
    spkiSha256: '0000ead352025f208bf55297c4192c34cd1b878002107366d8f2065a9ae7d3a9',
    certificateSha256: '5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185',
  },
  {
    id: 'amd/SEV-VLEK-Turin',
    role: 'amd/asvk',
    product: 'Turin',
    subject:
      'MIGAMRQwEgYDVQQLDAtFbmdpbmVlcmluZzELMAkGA1UEBhMCVVMxFDASBgNVBAcMC1NhbnRhIENsYXJhMQswCQYDVQQIDAJDQTEfMB0GA1UECgwWQWR2YW5jZWQgTWljcm8gRGV2aWNlczEXMBUGA1UEAwwOU0VWLVZMRUstVHVyaW4=',
    serial: '030101',
    notBefore: '2023-05-15T21:09:41Z',
    notAfter: '2048-05-15T21:09:41Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEApjrui4l0ZogEh0fDdVfJ4unowGGolk2wXyzjbjC/fnqlhFqiFj1JSKdkYSvzPVfgDR0MU2WLlytrAGqOHYBdk4Moz3xHTXJus75Nef0EBZpGk9M4PQGF+nTqYi+hDguq14wQUEltN9wGunnUeaMz0e6hfCasDevkypILMponvTvaM49RAipCvTgmPRTkQA8hjl3tA6R7S/HKTn6/Q3T74A0BfygK49LLkdHF05Wo0pZ9qmPyhi0Rh9epY0L+/T2e17fohWcCavgE+KF5GO5XINzunwKolCCyH3930iAmb1vv5v4PimnGsfH4ic4kIApR1hZApU3YG3qUE84qkb5SEASQsTZCT0Jv/AxC9So5h2wraVzWz6GvpPHEtRKvue5vehkwPjFipJMT5Z7CmNuXc+0lcVSZMHSbswFSHKKtp4F0UDoPnuIWw/djGDjkGXS9W5M2N3zVSbn94cJxCMzOTzILhcX/lJatooslfxvqucFH8PpS9xBMhuN4fTPlNk/oVbQ6w8pxEMibo0K8Q+gOqqzdVm6i7jotobsuYxH1Httjsc61vSskSDT4JkPjqTWiyOmsFI+6Ob/hya/fqpe0EPy68TPk85COC7uqNMzu58xb0uAtt0beejDx29mRRbiPNL5tnwK9KFmZDpeZWSZgzvn2K+SQTK80ZKn8Yq2SKfUCAwEAAQ==',
    spkiSha256: 'bfc441408b2f806c5dbf180bd8920e6e60dd404d82141780d85dbf962954d386',
    certificateSha256: '104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c',
  },
  {
    id: 'nvidia/NVIDIA Device Identity CA',
    role: 'nvidia/device-root',
    product: undefined,
    subject: 'MDUxIjAgBgNVBAMMGU5WSURJQSBEZXZpY2UgSWRlbnRpdHkgQ0ExDzANBgNVBAoMBk5WSURJQQ==',
    serial: '2d3670b1ca100411c1fec0e82a065b54',
    notBefore: '2021-11-05T00:00:00Z',
    notAfter: '9999-12-31T23:59:59Z',
    spki: 'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEDkwUozv4pWJmWNtBKWB+TL9FGcRBJxb00NkXxJeABb3qvq79V7xmCC1xik+LYFLhUW7op8QiuE3oVwcbtY/Tlb6gz6HGPufIDWvWOQHZHLvRh9OFfcFrXM6vI4/4wn29',
    spkiSha256: 'a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4',
    certificateSha256: '102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48',
  },
  {
    id: 'nvidia/NVIDIA CoRIM signing Root CA',
    role: 'nvidia/rim-root',
    product: undefined,
    subject: 'MEUxCzAJBgNVBAYTAlVTMQ8wDQYDVQQKDAZOVklESUExJTAjBgNVBAMMHE5WSURJQSBDb1JJTSBzaWduaW5nIFJvb3QgQ0E=',
    serial: '45dae3a00e5037bddf875375ecb5e270',
    notBefore: '2023-03-16T15:37:34Z',
    notAfter: '2053-03-08T15:37:34Z',
    spki: 'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEuECyi9vNM+Iw2lfUzyBldHAwaC1HF7TCgp12QcEyUTm3Tagxwr48d55+K2VIlWYIDk7NlAIQdcV/Ff7euGLI+Qauj93HsSI4WX298PpW54RTgz9tC+Q684caR/BXWEeZ',
    spkiSha256: 'dec1dc316477aa851eebdf51327ae9f864bc8d89254657ed1e7eb9168af1e1a3',
    certificateSha256: '12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1',
  },
  {
    id: 'intel/Intel SGX Root CA',
    role: 'intel/sgx-root',
    product: undefined,
    subject:
      'MGgxGjAYBgNVBAMMEUludGVsIFNHWCBSb290IENBMRowGAYDVQQKDBFJbnRlbCBDb3Jwb3JhdGlvbjEUMBIGA1UEBwwLU2FudGEgQ2xhcmExCzAJBgNVBAgMAkNBMQswCQYDVQQGEwJVUw==',
    serial: '22650cd65a9d3489f383b49552bf501b392706ac',
    notBefore: '2018-05-21T10:45:10Z',
    notAfter: '2049-12-31T23:59:59Z',
    spki: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlA==',
    spkiSha256: 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e',
    certificateSha256: '44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3',
  },
  {
    id: 'aws/Nitro Enclaves Root G1',
    role: 'aws/nitro-root',
    product: undefined,
    subject: 'MEkxCzAJBgNVBAYTAlVTMQ8wDQYDVQQKDAZBbWF6b24xDDAKBgNVBAsMA0FXUzEbMBkGA1UEAwwSYXdzLm5pdHJvLWVuY2xhdmVz',
    serial: '00f93175681b90afe11d46ccb4e4e7f856',
    notBefore: '2019-10-28T13:28:05Z',
    notAfter: '2049-10-28T14:28:05Z',
    spki: 'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE/AJU66YIwfNocOKa2pC+RjgyknNuiUv/9nLZiURLUFHlNKSx9tvjwLxYGjK3sXYHDt4S1po/6iEbZudSz33R3QlfbxNw9BcIQ9ncEAEh5M9jASgJZkSHyXlihDBNxT/0',
    spkiSha256: 'f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225',
    certificateSha256: '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
  },
  {
    id: 'google/tpm_ek_v1_cloud_host_root',
    role: 'tpm/root',
    product: undefined,
    subject:
      'MIG+MQswCQYDVQQGEwJVUzETMBEGA1UECBMKQ2FsaWZvcm5pYTEWMBQGA1UEBxMNTW91bnRhaW4gVmlldzETMBEGA1UEChMKR29vZ2xlIExMQzEOMAwGA1UECxMFQ2xvdWQxXTBbBgNVBAMMVHRwbV9la192MV9jbG91ZF9ob3N0X3Jvb3Qtc2lnbmVyLTAtMjAxOC0wNC0wNlQxMDo1ODoyNi0wNzowMCBLOjEsIDE6UHcwMDNIc0ZZTzQ6MDoxOA==',
    serial: '6f0e24b18dbe4e538c4f96c3a8265ac1',
    notBefore: '2018-04-06T17:58:26Z',
    notAfter: '2118-04-06T18:58:26Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA+8I7pO5X+Oknhq5hWj70Mq12wLsQ/mle3JfC9ucKPaRP7wk8Zv7604nKWKENI7YE2u2pW6SSJXx1dhjQxA258+KdKcFk/uzVFc3gX32TS1Ijd7lMjYPBEUFXSNy7uthmXPHeY7WW02n/1RUDfPEvPrrdI+egEFRQ2Vedj3Qm504t/Bc0/rwqIK39ggbteshExjyJc0WtNL0EiVotv4siCaHb0U39hxCxewDK6bzfkWhQtwMurOtOMD7et9G9AvCurlCwlwRW5lhVFBLm13hFtEPPgYtDMe1FPQNJ7z1oUCd1oryHiL9YsOg4jxInwHyb5W85YNifH/uo/o2wKeJxWDsFDNioC2VNMdTOLk13ansdzcVtuphTvgR01O0UDAOwj3k3R/4sLfBErXG8aBpFJ2cl6SWE1Wx07TRMOSYBV2SQr6js+KPZKzbLBb25EfmCeiyd+zCJbEB70u/Al8Gvgw22Frt68DBy+qRG8EkWB34BW6A67A4ILescUSq5qhRak2u9IEUxWihaCzR8wxxK1hiP69F31o0O2AexuBJC8IUOaj3WVypEVzBioN/wmZDBk73Jg7ONv/vcwGzFHO5el5D38v9KsiAvfNLsstPJttDcsk7n3a/P6wSTr8/8g5lIY9KHk0tUtLOMd9S4xHrSEnzMajfhAcn+nWbpod+TnaECAwEAAQ==',
    spkiSha256: 'f23057f4f97d1d90e4cae0ce91d5a0fc99069f0a1bc147021dca33b1e9c4d0d9',
    certificateSha256: '9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf',
  },
  {
    id: 'google/EK-AK CA Root',
    role: 'tpm/root',
    product: undefined,
    subject:
      'MH4xCzAJBgNVBAYTAlVTMRMwEQYDVQQIEwpDYWxpZm9ybmlhMRYwFAYDVQQHEw1Nb3VudGFpbiBWaWV3MRMwEQYDVQQKEwpHb29nbGUgTExDMRUwEwYDVQQLEwxHb29nbGUgQ2xvdWQxFjAUBgNVBAMTDUVLL0FLIENBIFJvb3Q=',
    serial: '00a65da4f9e328f38035c3a73d4f72432bdf15dc',
    notBefore: '2022-07-08T00:40:34Z',
    notAfter: '2122-07-08T05:57:23Z',
    spki: 'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAnSX1UKjIlktKiXwrKE2ltLukGe6JwTqm2t23EBYhHZOcvFKDE0WJHt2u2h/EjSu5x6gIimxr00cgqvPewz838TyYU0eIkC7JV/ek+mYOksllDWp7zIeSkZKzcqPezlhha0R5wJV/M2zgy0q8Z8D5YoHj0Do2iLxH1HUaicsg3rBJdfeQ/WJtGfQ0aB2qB+BF7kcLeQoCGNnqxxPwRvVIaVoHIbMTlagZOc1vKJ+TLH2hRnFdUmyq/arrXVbdqls/FyB6/zPkldBRuutDsRs7RK0rUOwpGwou4P5gvGOsFFDhR4g3lYenobS+BiI6m0ebpgpnFB6Y7+RUwtHOybUBgft404V6RwEgpGNKqmTmbi53Tiq6bp/SEGPeIT8974O8htWEuH0i0C6chIZA8D11gSB8D+paKv6lTstXemGkt4aG6WXwb/NiZCEXeF6DRu4hHvRpq/NPyIsBCvFUw1FkkQYzAg3+2rxiJPf7cRkhxKqroYAaOK5XDc0ixcLf4K5IkZDkZsOnj0tzpVY8d5Z4W/BJQaDEpermvX49GyhiArpLiGF5yBcRflztG1rpNwWUQVvRcr1+nLV2vz0t4UbFQGl0O8rENEsybcVB6fyuZH89JF4RwmxqptQ/+rs9zuTRF8X0xvoB89l+eqClglD4gVKv0SNFJbXA9wvTfOhM/jsCAwEAAQ==',
    spkiSha256: '56a613f57126a385dd6949294e93b0b566f96ab0573be0c2368e6f5ca779831f',
    certificateSha256: '594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2',
  },
] as const

/** A date of the table; the table is ours, so one that does not parse is a programmer's error. */
function date(text: string): UnixSeconds {
  const at = parseRfc3339(text)
  if (at === undefined) throw new TypeError(`${text} is not a date`)
  return at
}

/** AMD Milan, Genoa, Turin (ARK, ASK, ASVK), NVIDIA (device identity, reference manifests), Intel (SGX and TDX), AWS (Nitro), Google (virtual TPMs). */
export const PINNED_ANCHORS: readonly TrustAnchor[] = FACTS.map((f) => ({
  ...f,
  subject: take(fromBase64(f.subject, f.id)),
  notBefore: date(f.notBefore),
  notAfter: date(f.notAfter),
  spki: take(fromBase64(f.spki, f.id)),
  injected: false,
}))
