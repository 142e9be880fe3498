namespace EgressAppliance.Tests.Capture;

/// <summary>A test that needs to make network interfaces: it is reported as skipped, with the reason, where that is impossible.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LiveCaptureFactAttribute : FactAttribute
{
    public LiveCaptureFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("EGRESS_REQUIRE_SYSTEM_TESTS") == "1")
        {
            // Where everything must run, what is missing is a failure.
            return;
        }

        if (!OperatingSystem.IsLinux())
        {
            Skip = "packet sockets exist on Linux only";
        }
        else if (!Environment.IsPrivilegedProcess)
        {
            Skip = "making a veth pair and capturing on it needs root";
        }
        else if (VethPair.IpCommand is null)
        {
            Skip = "the ip command (iproute2) is not installed";
        }
    }
}
