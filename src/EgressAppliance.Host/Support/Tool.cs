using System.ComponentModel;
using System.Diagnostics;

namespace EgressAppliance.Host.Support;

/// <summary>Runs a tool of the system for what it prints.</summary>
internal static class Tool
{
    /// <summary>Runs it.</summary>
    /// <exception cref="SupportPartException">There is no such tool, it failed or did not end in time; the message says which.</exception>
    public static async Task<string> RunAsync(string name, IEnumerable<string> arguments, TimeSpan patience, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using Process process = new() { StartInfo = new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true } };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new SupportPartException($"{name} cannot be run: {e.Message}", e);
        }

        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 ? await output : throw new SupportPartException($"{name} failed: {(await error).Trim()}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SupportPartException($"{name} did not end within {patience.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
