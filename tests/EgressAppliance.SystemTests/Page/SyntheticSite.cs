using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Page;

/// <summary>
/// The synthetic appliance of <c>src/ui/fake</c>, which serves the built page and an API of any size: what the demo is too small for, or has no occasion for.
/// </summary>
internal sealed partial class SyntheticSite : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder;
    private readonly Daemon _process;

    private SyntheticSite(DirectoryInfo folder, Daemon process) => (_folder, _process) = (folder, process);

    /// <summary>Address of the page, <c>http://127.0.0.1:PORT</c>.</summary>
    public string Origin { get; private set; } = "";

    /// <summary>Starts it and waits until it serves.</summary>
    /// <param name="output">Where waiting is told.</param>
    /// <param name="arguments">Of <c>appliance.mjs</c>, without the port.</param>
    public static async Task<SyntheticSite> StartAsync(ITestOutputHelper output, params string[] arguments)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ealab-page-");
        Daemon process = Daemon.Start("synthetic", folder.FullName, ["node", Path.Combine(FindSources(), "fake", "appliance.mjs"), "--port", "0", .. arguments]);
        var site = new SyntheticSite(folder, process);
        try
        {
            site.Origin = await Until.ValueAsync("the synthetic appliance to serve", site.FindOriginAsync, origin => origin.Length > 0, StartLimit, output);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private Task<string> FindOriginAsync() => _process.HasExited
        ? throw new InvalidOperationException("the synthetic appliance ended: " + string.Join('\n', _process.Lines))
        : Task.FromResult(_process.Lines.Select(line => PageAddress().Match(line)).FirstOrDefault(match => match.Success)?.Value ?? "");

    private static string FindSources()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "EgressAppliance.sln")))
        {
            root = root.Parent;
        }

        return root is null ? throw new InvalidOperationException("the repository is not above the tests") : Path.Combine(root.FullName, "src", "ui");
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex PageAddress();
}
