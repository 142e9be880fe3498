using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using EgressAppliance.SystemTests.Appliance;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Page;

/// <summary>
/// A running <c>egress-appliance demo</c>: the real appliance and its page over a simulated site. Its story is longer than a test, or told over and over; the test ends
/// it when it has seen enough: a demo that ended by itself would take the page's connection away.
/// </summary>
internal sealed partial class DemoSite : IAsyncDisposable
{
    private const string Story = "120s";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _folder;
    private readonly Daemon _process;
    private readonly ITestOutputHelper _output;

    private DemoSite(DirectoryInfo folder, Daemon process, ITestOutputHelper output)
    {
        (_folder, _process, _output) = (folder, process, output);
    }

    /// <summary>Address of the page, <c>http://127.0.0.1:PORT</c>.</summary>
    public string Origin { get; private set; } = "";

    /// <summary>Starts the demo and waits until it names its page.</summary>
    /// <param name="output">Where waiting is told.</param>
    /// <param name="endless">Whether it tells its story over and over.</param>
    public static async Task<DemoSite> StartAsync(ITestOutputHelper output, bool endless = false)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ealab-page-");
        string[] story = endless ? [] : ["--duration", Story];
        Daemon process = Daemon.Start("demo", folder.FullName, [ApplianceCommand.Path, "demo", .. story, "--port", $"{FreePort()}", "--json"]);
        var site = new DemoSite(folder, process, output);
        try
        {
            // The demo takes another port if somebody was faster: what it says counts.
            site.Origin = await Until.ValueAsync("the demo to serve its page", site.FindOriginAsync, origin => origin.Length > 0, StartLimit, output);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the demo as a service manager does; returns its exit code.</summary>
    public async Task<int> EndAsync()
    {
        _process.Signal(PosixSignalNumber.Terminate);
        return await _process.WaitForExitAsync(EndLimit);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _output.WriteLine("the demo said:\n" + string.Join('\n', _process.Lines));
        _folder.Delete(recursive: true);
    }

    private Task<string> FindOriginAsync()
    {
        if (_process.HasExited)
        {
            throw new ApplianceEndedException(string.Join('\n', _process.Lines));
        }

        return Task.FromResult(_process.Lines.Select(line => PageAddress().Match(line)).FirstOrDefault(match => match.Success)?.Value ?? "");
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex PageAddress();
}
