using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests;

/// <summary>A wrong configuration: every error at once, with its place and a remedy; nothing is started.</summary>
public sealed partial class ConfigurationTests(ITestOutputHelper output) : IDisposable
{
    private const int BadConfiguration = 2;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ealab-config-");

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Wrong_configuration_names_every_error_with_its_line()
    {
        string socket = Path.Combine(_folder.FullName, "api.sock");
        string[] lines =
        [
            "version: 1",
            "site: lab",
            "capture:",
            "  sources:",
            "    - interface: lo",
            "      snaplenn: 128                        # unknown key",
            "routers:",
            "  - name: edge1",
            "    address: 192.0.2.1",
            "    bgp: { local_address: 192.0.2.2, local_as: 65000, password_file: absent.md5 }   # missing file",
            "links:",
            "  - name: isp-a",
            "    router: edge1",
            "    interface: prov-a",
            "    next_hops: [100.64.1.2]",
            "    match: { mac: \"02:00:00:00:0a:02\" }",
            "    capacity: 10 parsecs                   # bad unit",
            "  - name: isp-b",
            "    router: edge1",
            "    interface: prov-b",
            "    next_hops: [100.64.2.2]",
            "    match: { mac: \"02:00:00:00:0a:02\" }    # same as isp-a",
            "    capacity: 10Gbit/s",
            "    threshold: 80%",
            "    release: 85%                           # above the threshold",
            "http:",
            "  listen: 127.0.0.1:8089",
            $"  socket: {socket}",
        ];
        string path = Path.Combine(_folder.FullName, "appliance.yaml");
        await File.WriteAllLinesAsync(path, lines);

        ShellResult result = await ApplianceCommand.RunAsync("run", "--config", path);
        output.WriteLine(result.Output + result.Error);
        Assert.Equal(BadConfiguration, result.ExitCode);
        Assert.False(File.Exists(socket), "the API was started");
        Assert.Equal([6, 10, 17, 22], ErrorLines(result.Error, path).Intersect([6, 10, 17, 22]));

        // Threshold under release may be told at either key.
        Assert.NotEmpty(ErrorLines(result.Error, path).Intersect([24, 25]));
        Assert.Contains("snaplen", result.Error.Replace("snaplenn", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_configuration_file_is_told_plainly()
    {
        string path = Path.Combine(_folder.FullName, "absent.yaml");
        ShellResult result = await ApplianceCommand.RunAsync("run", "--config", path);
        output.WriteLine(result.Output + result.Error);
        Assert.Equal(BadConfiguration, result.ExitCode);
        Assert.Contains(path, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private static IReadOnlyList<int> ErrorLines(string error, string path) =>
        [.. Place().Matches(error.Replace(path, "FILE", StringComparison.Ordinal)).Select(match => int.Parse(match.Groups[1].Value)).Distinct().Order()];

    [GeneratedRegex(@"FILE:(\d+)")]
    private static partial Regex Place();
}
