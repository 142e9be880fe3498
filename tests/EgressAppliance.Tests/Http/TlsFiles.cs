using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EgressAppliance.Tests.Http;

/// <summary>A folder with a certificate for this machine, its key, and tokens.</summary>
internal sealed class TlsFiles : IDisposable
{
    public TlsFiles()
    {
        Directory.CreateDirectory(Folder);
        Issue(DateTimeOffset.UtcNow.AddYears(1));
    }

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"egress-tls-{Guid.NewGuid():N}");

    public string Certificate => Path.Combine(Folder, "cert.pem");

    public string Key => Path.Combine(Folder, "key.pem");

    public string Tokens => Path.Combine(Folder, "tokens");

    /// <summary>Writes a new certificate, signed by itself, and its key.</summary>
    public X509Certificate2 Issue(DateTimeOffset notAfter)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        X509Certificate2 certificate = request.CreateSelfSigned(notAfter.AddYears(-2), notAfter);
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return certificate;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
