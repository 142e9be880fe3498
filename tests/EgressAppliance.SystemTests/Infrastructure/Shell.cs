using System.Diagnostics;

namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>What a finished command left behind.</summary>
/// <param name="CommandLine">The command, for messages.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ShellResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>The output, or an exception that shows everything if the command failed.</summary>
    public string Checked() => ExitCode == 0
        ? Output
        : throw new InvalidOperationException($"`{CommandLine}` exited with {ExitCode}\n{Output}{Error}");
}

/// <summary>Runs short commands to their end.</summary>
internal static class Shell
{
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(90);

    /// <summary>Runs a command; a command that does not end within the limit is killed and reported as a failure of the lab.</summary>
    public static async Task<ShellResult> RunAsync(IReadOnlyList<string> command, string? input = null, TimeSpan? limit = null)
    {
        using var process = new Process { StartInfo = StartInfo(command) };
        process.StartInfo.RedirectStandardInput = input is not null;
        process.Start();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }

        using var timeout = new CancellationTokenSource(limit ?? DefaultLimit);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"`{string.Join(' ', command)}` did not end within {limit ?? DefaultLimit}\n{await output}{await error}");
        }

        return new ShellResult(string.Join(' ', command), process.ExitCode, await output, await error);
    }

    /// <summary>Runs a command that must succeed.</summary>
    public static async Task<string> CheckedAsync(params string[] command) => (await RunAsync(command)).Checked();

    /// <summary>Start information with both outputs redirected.</summary>
    public static ProcessStartInfo StartInfo(IReadOnlyList<string> command)
    {
        var info = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in command.Skip(1))
        {
            info.ArgumentList.Add(argument);
        }

        return info;
    }
}
