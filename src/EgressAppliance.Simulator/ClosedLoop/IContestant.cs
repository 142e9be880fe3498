namespace EgressAppliance.Simulator.ClosedLoop;

/// <summary>Somebody who steers a router.</summary>
public interface IContestant
{
    /// <summary>Called once a second, after the router forwarded that second's traffic. What is changed counts from the next second.</summary>
    void Step();
}
