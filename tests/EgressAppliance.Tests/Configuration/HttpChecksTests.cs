using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http.Access;
using EgressAppliance.Tests.Http;

namespace EgressAppliance.Tests.Configuration;

public sealed class HttpChecksTests : IDisposable
{
    private readonly TlsFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Remote_endpoint_with_its_files_is_good()
    {
        TokenFile.Append(_files.Tokens, AccessToken.Create("alice", AccessScope.Read, null).Token);
        ConfigResult result = Load();
        Assert.Empty(result.Errors);
        Assert.Empty(result.Warnings);
        Assert.Equal((_files.Certificate, _files.Key, _files.Tokens), (result.Config!.Http.Remote!.CertificateFile, result.Config.Http.Remote.KeyFile, result.Config.Http.Remote.TokensFile));
    }

    [Fact]
    public void Certificate_that_expires_soon_key_that_others_read_and_missing_tokens_are_told()
    {
        _files.Issue(DateTimeOffset.UtcNow.AddDays(3)).Dispose();
        File.SetUnixFileMode(_files.Key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        ConfigResult result = Load();
        Assert.Empty(result.Errors);
        Assert.Equal(["expires on", "others than its owner", "no remote caller gets in"], result.Warnings.Select(w => new[] { "expires on", "others than its owner", "no remote caller gets in" }.Single(w.Message.Contains)));
    }

    [Fact]
    public void Certificate_that_is_not_that_of_the_key_is_an_error()
    {
        File.Copy(_files.Key, _files.Key + ".old");
        _files.Issue(DateTimeOffset.UtcNow.AddYears(1)).Dispose();
        File.Move(_files.Key + ".old", _files.Key, overwrite: true);
        ConfigError error = Assert.Single(Load().Errors);
        Assert.Contains("'http.remote.certificate_file'", error.Message, StringComparison.Ordinal);
    }

    private ConfigResult Load()
    {
        string path = Path.Combine(_files.Folder, "appliance.yaml");
        string community = Path.Combine(_files.Folder, "community");
        File.WriteAllText(community, "public\n");
        File.SetUnixFileMode(community, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(path, """
            version: 1
            capture: { sources: [ { interface: mir0 } ] }
            routers:
              - { name: edge1, address: 192.0.2.1, bgp: { local_address: 192.0.2.2, local_as: 65000 }, snmp: { community_file: community } }
            links:
              - { name: isp-a, router: edge1, interface: prov-a, next_hops: [100.64.1.2], match: { mac: "02:00:00:00:0a:02" } }
              - { name: isp-b, router: edge1, interface: prov-b, next_hops: [100.64.2.2], match: { mac: "02:00:00:00:0b:02" } }
            http:
              remote: { listen: "[::]:8443", certificate_file: cert.pem, key_file: key.pem, tokens_file: tokens }
            """);
        return ConfigLoader.Load(path);
    }
}
