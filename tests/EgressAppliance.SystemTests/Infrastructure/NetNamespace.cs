namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>
/// A network namespace of our own. Its name carries the id of the process that made it, so that a later run can clear up what a
/// killed one left behind without touching anything else.
/// </summary>
internal sealed class NetNamespace : IAsyncDisposable
{
    private const string Prefix = "ealab";
    private static readonly string NamespaceFolder = "/run/netns";

    private NetNamespace(string name) => Name = name;

    /// <summary>Its name for <c>ip netns</c>.</summary>
    public string Name { get; }

    /// <summary>Its file, for setns(2).</summary>
    public string Path => System.IO.Path.Combine(NamespaceFolder, Name);

    /// <summary>The prefix of names of one lab of this process.</summary>
    public static string LabName(int number) => $"{Prefix}{Environment.ProcessId}n{number}";

    /// <summary>Creates a namespace with loopback up.</summary>
    public static async Task<NetNamespace> CreateAsync(string lab, string role)
    {
        var created = new NetNamespace($"{lab}-{role}");
        await Shell.CheckedAsync("ip", "netns", "add", created.Name);
        return created;
    }

    /// <summary>Removes the namespaces, and ends the processes in them, of test runs that no longer exist.</summary>
    public static async Task SweepAsync()
    {
        if (!Directory.Exists(NamespaceFolder))
        {
            return;
        }

        foreach (string name in Directory.GetFiles(NamespaceFolder, Prefix + "*").Select(System.IO.Path.GetFileName).OfType<string>())
        {
            string digits = new(name.Skip(Prefix.Length).TakeWhile(char.IsAsciiDigit).ToArray());
            if (!int.TryParse(digits, out int owner) || Directory.Exists($"/proc/{owner}"))
            {
                continue;
            }

            string pids = (await Shell.RunAsync(["ip", "netns", "pids", name])).Output;
            foreach (string pid in pids.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                await Shell.RunAsync(["kill", "-9", pid]);
            }

            await Shell.RunAsync(["ip", "netns", "del", name]);
        }
    }

    /// <summary>The command line that runs a command in here.</summary>
    public string[] Command(params string[] command) => ["ip", "netns", "exec", Name, .. command];

    /// <summary>Runs a command in here, which must succeed.</summary>
    public Task<string> RunAsync(params string[] command) => Shell.CheckedAsync(Command(command));

    /// <summary>Runs many <c>ip</c> commands in here at the price of one process.</summary>
    public async Task IpAsync(params string[] commands) =>
        (await Shell.RunAsync(["ip", "-n", Name, "-batch", "-"], string.Join('\n', commands) + "\n")).Checked();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Shell.RunAsync(["ip", "netns", "del", Name]);
}
